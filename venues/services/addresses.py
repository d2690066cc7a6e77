"""Where this installation may send anything at all: one rule, asked when a venue is saved and when it is called.

A demo key sent to a real venue is a leak, and a real order from a rehearsal is worse. So the addresses
decide and not the name of the row: SIMULATED reaches its simulator, SANDBOX anything but the real
venues, LIVE only the real addresses of an adapter, and only venues that are switched on by name.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings

from venues.adapters.registry import ADAPTERS
from venues.models import Venue

PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
# A socket and the pages beside it are one place.
WEB_SCHEMES = {"ws": "http", "wss": "https"}
Origin = tuple[str, str, int]


def refusal(venue: Venue) -> str:
    """Say why nothing may be sent to a venue; empty when it may be reached."""
    if settings.ENVIRONMENT == "LIVE" and venue.slug not in settings.LIVE_VENUES:
        return f"{venue} is not named in LIVE_VENUES, so nothing is sent there."
    return " ".join(foreign_addresses(venue).values())


def foreign_addresses(venue: Venue) -> dict[str, str]:
    """Name each address that this kind of installation never talks to, by its field."""
    found = {}
    for field in ("rest_url", "ws_url", "ws_user_url"):
        url = getattr(venue, field)
        if not url and field == "ws_user_url":
            continue
        if why := _objection(venue, url):
            found[field] = f"{venue}: {url or 'an empty address'} {why}"
    return found


def _objection(venue: Venue, url: str) -> str:
    origin = _origin(url)
    if origin is None:
        return "is no http, https, ws or wss address."
    if settings.ENVIRONMENT == "LIVE":
        is_real = venue.adapter in ADAPTERS and origin in _origins_of(venue.adapter)
        return "" if is_real else "is not where the real venue answers, and this is LIVE."
    if origin[1] in _real_hosts():
        return f"is the real venue, and this is {settings.ENVIRONMENT}."
    if settings.ENVIRONMENT == "SIMULATED" and not _is_simulated(origin):
        return "is neither this machine nor SIMULATOR_URL, and this is SIMULATED."
    return ""


def _origin(url: str) -> Origin | None:
    """Read scheme, host and port the way a client will; a name with a dot at its end is that name."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in PORTS or not host:
        return None
    return WEB_SCHEMES.get(parts.scheme, parts.scheme), host, port


def _origins_of(adapter: str) -> set[Origin]:
    live = ADAPTERS[adapter].live
    found = (_origin(url) for url in (live.rest_url, live.ws_url, live.ws_user_url))
    return {origin for origin in found if origin is not None}


def _real_hosts() -> set[str]:
    return {host for adapter in ADAPTERS for _, host, _ in _origins_of(adapter)}


def _is_simulated(origin: Origin) -> bool:
    host = origin[1]
    try:
        is_here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_here = host == "localhost"
    return is_here or origin == _origin(settings.SIMULATOR_URL)
