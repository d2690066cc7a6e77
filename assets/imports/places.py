"""Where the lines of a list say an asset lives, in the words of this registry.

Lists call chains by names of their own: CoinGecko by its platforms, token lists by the number of an EVM chain. A
chain of the registry answers to its id, to its name, to what is known below, and to `coingecko` and `chain_id`
in its metadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from assets.addresses import BadAddress, normalised_many
from assets.imports.lines import Line

# Other names of the main chains.
ALSO_CALLED = {
    "ethereum": ("1",),
    "base": ("8453",),
    "arbitrum": ("arbitrum-one", "42161"),
    "optimism": ("optimistic-ethereum", "10"),
    "polygon": ("polygon-pos", "137"),
    "avalanche": ("43114",),
    "bnb": ("binance-smart-chain", "56"),
}
NAMES_IN_METADATA = ("coingecko", "chain_id")
Chains = Mapping[str, "KnownChain"]


@dataclass(frozen=True, slots=True)
class KnownChain:
    """A chain of the registry, and how its addresses are written."""

    slug: str
    family: str


def answering(
    chains: Sequence[tuple[str, str, str, Mapping[str, object]]],
) -> dict[str, KnownChain]:
    """Index chains, given as id, name, family and metadata, by everything they answer to."""
    found: dict[str, KnownChain] = {}
    for slug, name, family, metadata in chains:
        named = (str(metadata[key]) for key in NAMES_IN_METADATA if metadata.get(key))
        for text in (*named, *ALSO_CALLED.get(slug, ()), name):
            found.setdefault(text.lower(), KnownChain(slug, family))
    # An id stands above whatever another chain is called.
    return {**found, **{slug: KnownChain(slug, family) for slug, _, family, _ in chains}}


def placed(lines: Iterable[Line], chains: Chains, *, is_strict: bool) -> list[Line]:
    """Write each chain and address the registry's way; a wrong address is told on its line.

    A chain that is not registered is an error where somebody wrote the table for this desk (`is_strict`), and
    in a list of the whole world simply not for here: it stays as the list calls it.
    """
    found = list(lines)
    by_family: dict[str, list[int]] = {}
    for at, line in enumerate(found):
        if line.error or not line.chain:
            continue
        known = chains.get(line.chain.lower())
        if known is not None:
            found[at] = replace(line, chain=known.slug)
            by_family.setdefault(known.family, []).append(at)
        elif is_strict:
            message = (
                f"No chain here is called {line.chain!r}. Register it first, or mend the name."
            )
            found[at] = replace(line, error=message)
    for family, places in by_family.items():
        spelt = normalised_many(family, [found[at].address for at in places])
        for at, address in zip(places, spelt, strict=True):
            if isinstance(address, BadAddress):
                found[at] = replace(found[at], error=str(address))
            else:
                found[at] = replace(found[at], address=address)
    return found
