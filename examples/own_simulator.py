"""A simulated venue and a throwaway key on this machine, so that an example needs nothing else.

At a real venue the same client is built from `ADAPTERS[slug].live` and a key of your own.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from venues.adapters.registry import ApiKey, VenueConfig, build_client
from venues.interface.client import VenueClient
from venues.simulator.app import Simulator, free_socket, make_server
from venues.simulator.demo_keys import (
    DemoKey,
    generate_demo_key,
    generate_shared_key,
    register_key,
)

# Each venue's kind of key, and the paths of its two sockets: market data, own orders.
SIMULATED: Mapping[str, tuple[Callable[[], DemoKey], str, str]] = {
    "coinbase_advanced": (generate_demo_key, "ws", "ws-user"),
    "coinbase_exchange": (generate_shared_key, "ws", "ws"),
}


def config_at(slug: str, address: str) -> VenueConfig:
    """Say where a simulator at `host:port` serves a venue."""
    _, market, own = SIMULATED[slug]
    base = f"{address}/{slug}"
    return VenueConfig(
        rest_url=f"http://{base}", ws_url=f"ws://{base}/{market}", ws_user_url=f"ws://{base}/{own}"
    )


@asynccontextmanager
async def simulated_venue(slug: str) -> AsyncIterator[tuple[VenueConfig, ApiKey]]:
    """Run the simulator on a free port for as long as the block lasts."""
    made = SIMULATED[slug][0]()
    with tempfile.TemporaryDirectory() as folder:
        register_key(Path(folder), made.entry)
        with free_socket() as bound:
            port = bound.getsockname()[1]
            server = make_server(Simulator(Path(folder), 1), "127.0.0.1", port)
            running = asyncio.create_task(server.serve(sockets=[bound]))
            while not server.started:  # noqa: ASYNC110 - it has no other way to say so
                await asyncio.sleep(0.01)
            try:
                yield (
                    config_at(slug, f"127.0.0.1:{port}"),
                    ApiKey(made.key_id, made.secret, made.more),
                )
            finally:
                server.should_exit = True
                await running


@asynccontextmanager
async def simulated_account(slug: str) -> AsyncIterator[VenueClient]:
    """Build the client of one account, as every program does, and release it at the end."""
    async with simulated_venue(slug) as (config, key):
        client = build_client(slug, config=config, key=key)
        try:
            yield client
        finally:
            await client.aclose()
