"""HTTPS and WSS under the throwaway authority, as a client that trusts only its bundle sees them."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import stat
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from venues.simulator.authority import papers
from venues.simulator.server import free_socket

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CHILD = """
import sys
from pathlib import Path
from venues.simulator.app import serve
port, tls_port, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
serve(host="127.0.0.1", port=port, data_dir=folder, seed=1, tls_port=tls_port)
"""


def test_papers_are_kept_until_they_near_their_end(tmp_path):
    first = papers(tmp_path, now=NOW).ca.read_bytes()

    assert papers(tmp_path, now=NOW + timedelta(days=20)).ca.read_bytes() == first
    assert papers(tmp_path, now=NOW + timedelta(days=24)).ca.read_bytes() != first


def test_papers_are_made_anew_for_another_name_or_when_damaged(tmp_path):
    found = papers(tmp_path, now=NOW)
    first = found.ca.read_bytes()
    second = papers(tmp_path, names=["desk.test"], now=NOW).ca.read_bytes()
    found.server.write_text("torn")

    assert second != first
    assert papers(tmp_path, names=["desk.test"], now=NOW).ca.read_bytes() != second


def test_the_key_is_for_its_owner_and_the_authoritys_key_is_nowhere(tmp_path):
    found = papers(tmp_path, now=NOW)

    assert stat.S_IMODE(found.server.stat().st_mode) == 0o600
    assert b"PRIVATE KEY" not in found.ca.read_bytes()
    assert found.server.read_bytes().count(b"BEGIN PRIVATE KEY") == 1
    assert sorted(path.name for path in found.ca.parent.iterdir()) == ["ca.pem", "server.pem"]


def start(port: int, tls_port: int, folder: Path) -> subprocess.Popen[bytes]:
    root = str(Path(__file__).parents[3])
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(port), str(tls_port), str(folder)],
        env={**os.environ, "PYTHONPATH": root},
        cwd=root,
    )


@pytest.mark.timeout(30)
async def test_https_and_wss_beside_plain_with_one_app_and_one_end(tmp_path):
    ports = []
    for _ in range(2):
        with free_socket() as bound:
            ports.append(bound.getsockname()[1])
    found = papers(tmp_path, names=["127.0.0.1"])
    child = start(*ports, tmp_path)
    trusted = ssl.create_default_context(cafile=str(found.ca))
    path = "/coinbase_advanced/api/v3/brokerage/time"
    try:
        async with httpx.AsyncClient(verify=trusted, trust_env=False) as http:
            until = time.monotonic() + 20
            while True:
                try:
                    answer = await http.get(f"https://localhost:{ports[1]}{path}")
                    break
                except httpx.ConnectError:
                    assert time.monotonic() < until
            assert answer.status_code == 200
            assert (await http.get(f"http://127.0.0.1:{ports[0]}{path}")).status_code == 200
        address = f"wss://127.0.0.1:{ports[1]}/coinbase_advanced/ws"
        async with connect(address, ssl=trusted, proxy=None) as socket:
            await socket.send('{"type":"subscribe","channel":"level2","product_ids":["BTC-USD"]}')
            assert b"snapshot" in await socket.recv(decode=False)
            child.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(child.wait, 10) == 0
    finally:
        child.kill()
        child.wait()


async def test_a_client_without_the_bundle_trusts_nothing_of_it(tmp_path):
    found = papers(tmp_path)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(found.server)
    inside, outside = ssl.MemoryBIO(), ssl.MemoryBIO()
    stranger = ssl.create_default_context().wrap_bio(inside, outside, server_hostname="localhost")
    to_server, from_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = served.wrap_bio(to_server, from_server, server_side=True)
    with pytest.raises(ssl.SSLWantReadError):
        stranger.do_handshake()
    to_server.write(outside.read())
    with pytest.raises(ssl.SSLWantReadError):
        server.do_handshake()
    inside.write(from_server.read())

    with pytest.raises(ssl.SSLCertVerificationError):
        stranger.do_handshake()
