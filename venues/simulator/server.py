"""The simulator on its ports: plain, and beside it HTTPS and WSS."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket as sockets
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from venues.simulator.authority import Papers, papers

if TYPE_CHECKING:
    from venues.simulator.app import Simulator


def make_server(
    app: Simulator, host: str, port: int, *, tls: Papers | None = None
) -> uvicorn.Server:
    """Make one server; the encrypted one leaves the app's beginning and end to the plain one."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            lifespan="off" if tls else "on",
            access_log=False,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=1,
            ssl_certfile=tls.server if tls else None,
        )
    )


class _Led(uvicorn.Server):
    """One of two servers in a process: the process hears signals, not each of them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def papers_for(data_dir: Path, host: str) -> Papers:
    """Return the papers of a simulator at this address; a wildcard is no name to certify."""
    return papers(data_dir, names=() if host in {"0.0.0.0", "::"} else (host,))  # noqa: S104


def run(app: Simulator, host: str, port: int, *, data_dir: Path, tls_port: int = 0) -> None:
    """Serve until told to stop; open sockets do not hold it up."""
    servers = [_Led(make_server(app, host, port).config)]
    if tls_port:
        found = papers_for(data_dir, host)
        servers.append(_Led(make_server(app, host, tls_port, tls=found).config))
    asyncio.run(_run(servers))


async def _run(servers: list[_Led]) -> None:
    told = asyncio.Event()
    for stop in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(stop, told.set)
    waiting = asyncio.create_task(told.wait())
    running = [asyncio.create_task(server.serve()) for server in servers]
    await asyncio.wait({waiting, *running}, return_when=asyncio.FIRST_COMPLETED)
    # The first one ends the app, so it is the last to stop.
    for server, task in reversed(list(zip(servers, running, strict=True))):
        server.should_exit = True
        await task
    waiting.cancel()


def free_socket(host: str = "127.0.0.1") -> sockets.socket:
    """Bind a port nobody uses, for a server of one's own.

    The protocol is named because asyncio turns Nagle's delay off only where it is.
    """
    bound = sockets.socket(sockets.AF_INET, sockets.SOCK_STREAM, sockets.IPPROTO_TCP)
    bound.bind((host, 0))
    return bound
