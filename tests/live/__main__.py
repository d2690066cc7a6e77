"""`make live-test VENUE=...`: what a person who holds a key runs against the real venue.

Nothing here is collected by `make test`. It only reads, unless LIVE_TEST_TRADE=yes.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.live.smoke import Smoke, Terms
from venues.adapters.registry import ADAPTERS, Adapter, ApiKey, build_client

PREFIX = "LIVE_TEST_"


class Missing(Exception):
    """What must be given before anything can be tried."""


def read_secret(environment: Mapping[str, str], name: str) -> str:
    """Read a variable, or the file that the same name with _FILE points at."""
    path = environment.get(f"{name}_FILE")
    if path is None:
        return environment.get(name, "").strip()
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        message = f"{name}_FILE cannot be read: {error.strerror}"
        raise Missing(message) from error


def read_key(adapter: Adapter, environment: Mapping[str, str]) -> ApiKey:
    """Gather what this venue's key consists of, each part from a variable of its own."""
    parts: dict[str, str] = {}
    for part in adapter.key_fields:
        name = f"{PREFIX}{part.name.upper()}"
        parts[part.name] = read_secret(environment, name)
        if part.is_required and not parts[part.name]:
            message = f"{name} or {name}_FILE is missing: {part.label}. {part.help_text}"
            raise Missing(message)
    more = {name: value for name, value in parts.items() if name not in {"key_id", "secret"}}
    return ApiKey(parts["key_id"], parts["secret"], more)


def read_terms(environment: Mapping[str, str]) -> Terms:
    return Terms(
        symbol=environment.get(f"{PREFIX}SYMBOL", "BTC-USD"),
        seconds=float(environment.get(f"{PREFIX}SECONDS", "60")),
        may_trade=environment.get(f"{PREFIX}TRADE", "") == "yes",
    )


async def try_venue(slug: str, environment: Mapping[str, str]) -> bool:
    adapter = ADAPTERS[slug]
    key = read_key(adapter, environment)
    client = build_client(slug, config=adapter.live, key=key)
    secrets = (key.key_id, key.secret, *key.more.values())
    smoke = Smoke(client, read_terms(environment), say=print, secrets=secrets)
    print(f"{adapter.name} at {adapter.live.rest_url}: THE REAL VENUE")
    try:
        return await smoke.run()
    finally:
        await client.aclose()


def main(words: list[str], environment: Mapping[str, str]) -> int:
    slug = words[0] if words else ""
    if slug not in ADAPTERS:
        print(f"make live-test VENUE=...: one of {', '.join(ADAPTERS)}", file=sys.stderr)
        return 2
    try:
        return 0 if asyncio.run(try_venue(slug, environment)) else 1
    except Missing as missing:
        print(f"Nothing was tried. {missing}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
