"""Where a request comes from: the address the lock-out counts by and the sessions page shows."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """Return the address of the other end; behind a proxy, the one our own proxy wrote down."""
    text = request.META.get("REMOTE_ADDR", "")
    if settings.SECURE_PROXY_SSL_HEADER:
        # Only the last entry is our proxy's own: what stands before it anybody may have sent.
        text = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() or text
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def device_name(agent: str) -> str:
    """Name a browser as its owner would: what it is and what it runs on."""
    browsers = [("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome")]
    systems = [
        ("Windows", "Windows"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Mac OS", "macOS"),
        ("Android", "Android"),
        ("Linux", "Linux"),
    ]
    browser = _first(agent, [*browsers, ("Safari/", "Safari")])
    system = _first(agent, systems)
    return f"{browser} on {system}" if browser and system else browser or agent[:80] or "unknown"


def _first(agent: str, names: list[tuple[str, str]]) -> str:
    return next((name for mark, name in names if mark in agent), "")
