"""Where people look an address up: the chain's explorer, only ever over https. Pure."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from assets.addresses import Family

# How explorers of a family name the page of an address; of the others, each does it its own way.
PATHS = {
    Family.EVM: "/address/",
    Family.SOLANA: "/address/",
    Family.UTXO: "/address/",
    Family.TRON: "/#/contract/",
}


def explorer_of(url: str) -> str:
    """Return the explorer's own page, or nothing where it is not safe to follow."""
    try:
        parts = urlsplit(url)
        is_safe = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return ""
    return url.rstrip("/") if is_safe else ""


def page_of_address(family: str, url: str, address: str) -> str:
    """Return where an address is shown, or nothing where that is not known."""
    site, path = explorer_of(url), PATHS.get(Family(family))
    return f"{site}{path}{quote(address, safe='')}" if site and path else ""
