"""One line of a list: what it says of one asset and, at most, one place where that lives."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

SYMBOL, NAME, CATEGORY, VALUE, PLACE = 32, 120, 40, 120, 120
MOST_DECIMALS = 36
WHOLE = re.compile(r"(\d{1,3})(\.0+)?")
HEX = re.compile(r"0x[0-9a-fA-F]+")
YES, NO = frozenset({"yes", "true", "1", "y"}), frozenset({"no", "false", "0", "n", ""})
SCHEMES = ("coingecko", "coinmarketcap", "defillama")


class Unreadable(ValueError):
    """The file cannot be read as what it is said to be; the words are for whoever sent it."""


class Wrong(ValueError):
    """One line says something that cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a file may cost; past it, it is refused before anything is kept."""

    size: int = 32 * 1024 * 1024
    unpacked: int = 256 * 1024 * 1024
    rows: int = 200_000
    columns: int = 100
    cell: int = 2_000
    depth: int = 64


LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is said, as far as it can be; `error` says why it cannot. An empty text is nothing said."""

    line: int
    place: str = ""
    asset_id: str = ""
    symbol: str = ""
    name: str = ""
    kind: str = ""
    category: str = ""
    coingecko: str = ""
    coinmarketcap: str = ""
    defillama: str = ""
    chain: str = ""
    address: str = ""
    decimals: int | None = None
    is_canonical: bool = False
    error: str = ""

    @property
    def subject(self) -> str:
        """Name the asset it is about, so that lines about one are found together; nothing if nobody can."""
        if self.asset_id:
            return f"id:{self.asset_id}"
        for scheme in SCHEMES:
            if value := getattr(self, scheme):
                return f"{scheme}:{value}"
        return f"{self.chain}:{_key(self.address)}" if self.address else ""


def _key(address: str) -> str:
    return address.lower() if HEX.fullmatch(address) else address


def line_of(*, line: int, place: str, said: Mapping[str, object], kinds: frozenset[str]) -> Line:
    """Read one line from what its fields say; whatever is wrong with it is kept beside it."""
    shown = {name: _plain(value) for name, value in said.items()}
    try:
        return _read(line, place, shown, kinds)
    except Wrong as error:
        kept = {name: shown.get(name, "")[:limit] for name, limit in _KEPT.items()}
        return Line(line=line, place=place[:PLACE], error=str(error), **kept)  # type: ignore[arg-type]


_KEPT = {"symbol": SYMBOL, "name": NAME, "chain": 40, "address": 120}
_TEXTS = {
    "symbol": SYMBOL,
    "name": NAME,
    "category": CATEGORY,
    "coingecko": VALUE,
    "coinmarketcap": VALUE,
    "defillama": VALUE,
    "chain": 40,
    "address": 120,
}


def _read(line: int, place: str, said: Mapping[str, str], kinds: frozenset[str]) -> Line:
    texts = {name: _text(name, said.get(name, ""), limit) for name, limit in _TEXTS.items()}
    if bool(texts["chain"]) != bool(texts["address"]):
        missing = "An address" if texts["chain"] else "A chain"
        message = f"{missing} is missing: where an asset lives is a chain and an address."
        raise Wrong(message)
    found = Line(
        line=line,
        place=place[:PLACE],
        asset_id=_asset_id(said.get("asset_id", "")),
        kind=_kind(said.get("kind", ""), kinds),
        decimals=_decimals(said.get("decimals", "")),
        is_canonical=_flag(said.get("canonical", "")),
        **texts,
    )
    if not found.subject:
        message = (
            "Nothing says which asset it is: give its id, an identifier, or a chain and address."
        )
        raise Wrong(message)
    if not found.asset_id:
        for name in ("symbol", "name"):
            if not texts[name]:
                message = f"The {name} is missing."
                raise Wrong(message)
    return found


def _plain(value: object) -> str:
    """Write any value as text that PostgreSQL can hold and a page can show."""
    text = "" if value is None else str(value)
    cleaned = text.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return cleaned.encode("utf-8", "replace").decode().strip()


def _text(name: str, value: str, limit: int) -> str:
    if len(value) > limit:
        message = f"The {name} is longer than {limit} characters."
        raise Wrong(message)
    if not value.isprintable():
        message = f"The {name} holds a character that cannot be shown."
        raise Wrong(message)
    return value


def _asset_id(value: str) -> str:
    if not value:
        return ""
    try:
        return str(UUID(value))
    except ValueError as error:
        message = f"{value[:40]!r} is no id of an asset here."
        raise Wrong(message) from error


def _kind(value: str, kinds: frozenset[str]) -> str:
    kind = value.lower()
    if kind and kind not in kinds:
        message = f"{value[:40]!r} is no type of asset: {', '.join(sorted(kinds))}."
        raise Wrong(message)
    return kind


def _decimals(value: str) -> int | None:
    if not value:
        return None
    whole = WHOLE.fullmatch(value)
    if whole is None or not value.isascii() or int(whole[1]) > MOST_DECIMALS:
        message = f"Decimals are a whole number from 0 to {MOST_DECIMALS}, and not {value[:40]!r}."
        raise Wrong(message)
    return int(whole[1])


def _flag(value: str) -> bool:
    word = value.lower()
    if word not in YES | NO:
        message = f"Canonical is yes or no, and not {value[:40]!r}."
        raise Wrong(message)
    return word in YES


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Tell a file that goes too deep for any reader in words."""
    try:
        yield
    except (RecursionError, MemoryError) as error:
        message = f"The {what} goes deeper, or takes more memory, than any real list."
        raise Unreadable(message) from error
