"""A simulated venue beside a test, over its own wire protocol, and keys that it knows."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvicorn

from tests import cast
from venues.interface.client import VenueClient
from venues.models import Account, Credential
from venues.services import bridge, clients
from venues.services.keys import IN_USE, Terms, seed_credential
from venues.simulator.app import Simulator, free_socket, make_server
from venues.simulator.demo_keys import (
    DemoKey,
    generate_demo_key,
    generate_shared_key,
    register_key,
)

MAKERS = {"coinbase_advanced": generate_demo_key, "coinbase_exchange": generate_shared_key}


@dataclass(frozen=True, kw_only=True)
class Served:
    """The simulator, and an account of ours at one of its venues."""

    app: Simulator
    folder: Path
    slug: str
    account: Account

    def new_key(self, **powers: bool) -> DemoKey:
        """Make a key at the venue for the account, as somebody would there."""
        made = MAKERS[self.slug]()
        register_key(self.folder, msgspec.structs.replace(made.entry, **powers))
        return made

    def in_use(self, *, terms: Terms = IN_USE, **powers: bool) -> Credential:
        key = self.new_key(**powers)
        return seed_credential(
            account=self.account, key_id=key.key_id, secret=key.secret, more=key.more, terms=terms
        )

    def orders(self) -> list[str]:
        """Name every order that reached the venue, by our id."""
        kept = self.app.venues[self.slug].exchange.orders
        return [order.instruction.client_order_id for order in list(kept.values())]


@contextmanager
def serving(
    folder: Path, patch: pytest.MonkeyPatch, slug: str = "coinbase_advanced"
) -> Iterator[Served]:
    """Serve the simulators while a test lasts, and lead the account of the cast to one of them."""
    bound = free_socket()
    made: queue.Queue[tuple[Simulator, uvicorn.Server]] = queue.Queue()

    def serve() -> None:
        # Its store belongs to the thread that opened it.
        app = Simulator(folder, 1)
        server = make_server(app, "127.0.0.1", bound.getsockname()[1])
        made.put((app, server))
        asyncio.run(server.serve(sockets=[bound]))

    thread = threading.Thread(target=serve)
    thread.start()
    app, server = made.get(timeout=10)
    try:
        with _closing_clients(patch):
            account = _led_to(slug, f"127.0.0.1:{bound.getsockname()[1]}/{slug}")
            yield Served(app=app, folder=folder, slug=slug, account=account)
    finally:
        server.should_exit = True
        thread.join()


def _led_to(slug: str, base: str) -> Account:
    account = cast.account()
    venue = account.venue
    venue.adapter = slug
    venue.rest_url, venue.ws_url = f"http://{base}", f"ws://{base}/ws"
    venue.ws_user_url = f"ws://{base}/ws-user" if slug == "coinbase_advanced" else ""
    venue.save()
    return account


@contextmanager
def _closing_clients(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start without clients, and close in the end whatever was opened."""
    opened: list[VenueClient] = []
    really = clients._open

    def open_one(*args: Any) -> VenueClient:
        opened.append(really(*args))
        return opened[-1]

    patch.setattr(clients, "_clients", {})
    patch.setattr(clients, "_open", open_one)
    try:
        yield
    finally:
        for client in opened:
            bridge.run(client.aclose(), timeout=5)
