from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from cqops.platform.access.policy import Role
from tests import cast
from tests.portfolio.scripted import Desk
from venues.models import Account
from venues.services import bridge, clients
from venues.services.keys import seed_credential
from venues.simulator.app import Simulator, free_socket, make_server
from venues.simulator.demo_keys import generate_demo_key, register_key


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    pooled: dict[Any, Any] = {}
    monkeypatch.setattr(clients, "_clients", pooled)
    key = generate_demo_key()
    register_key(tmp_path, key.entry)
    bound = free_socket()
    made: queue.Queue[tuple[Simulator, uvicorn.Server]] = queue.Queue()

    def serve() -> None:
        # The journal belongs to the thread that opened it.
        app = Simulator(tmp_path, 1, is_ticking=False)
        server = make_server(app, "127.0.0.1", bound.getsockname()[1])
        made.put((app, server))
        asyncio.run(server.serve(sockets=[bound]))

    thread = threading.Thread(target=serve)
    thread.start()
    app, server = made.get(timeout=5)
    account = cast.account()
    base = f"127.0.0.1:{bound.getsockname()[1]}/coinbase_advanced"
    venue = account.venue
    venue.rest_url, venue.ws_url = f"http://{base}", f"ws://{base}/ws"
    venue.save()
    seed_credential(account=account, key_id=key.key_id, secret=key.secret)
    yield Desk(app, Account.objects.select_related("venue").get(pk=account.pk))
    for client in pooled.values():
        bridge.run(client.aclose(), timeout=5)
    server.should_exit = True
    thread.join()


@pytest.fixture
def rene():
    return cast.person(Role.RECON, "rene")


@pytest.fixture
def alma():
    return cast.person(Role.APPROVER, "alma")
