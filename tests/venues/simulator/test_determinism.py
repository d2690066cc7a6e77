"""The same seed, clock and calls make the same bytes, in whatever process they are made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from venues.simulator.demo_keys import generate_demo_key, register_key

CHILD = """
import asyncio, hashlib, json, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
import httpx
from venues.simulator.app import Simulator
from venues.simulator.faults import Fault, Kind
from venues.transport.signer import CdpAuth, CdpSigner

folder, seed, key_id, secret = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
clock = [datetime(2026, 1, 1, tzinfo=UTC)]
heard = hashlib.sha256()
counts = {"frames": 0, "fills": 0}

async def listen(app, channel, asks):
    async def receive():
        return await inbox.get()
    async def send(message):
        if "text" in message:
            counts["frames"] += 1
            frames.append(message["text"].encode())
    inbox, frames = asyncio.Queue(), []
    await inbox.put({"type": "websocket.connect"})
    for one in asks:
        await inbox.put({"type": "websocket.receive", "text": json.dumps(one)})
    scope = {"type": "websocket", "path": channel}
    return asyncio.create_task(app(scope, receive, send)), frames

async def main():
    app = Simulator(folder, seed, now=lambda: clock[0], is_ticking=False)
    app.faults.add(Fault(kind=Kind.GAP, rate=0.1))
    asks = [{"type": "subscribe", "channel": name, "product_ids": ["BTC-USD", "ETH-USD"]}
            for name in ("level2", "market_trades", "ticker")]
    other = [{"type": "subscribe", "product_ids": ["BTC-USD"], "channels": ["level2_batch", "matches"]}]
    listeners = [await listen(app, "/coinbase_advanced/ws", asks),
                 await listen(app, "/coinbase_advanced/ws", asks),
                 await listen(app, "/coinbase_exchange/ws", other)]
    signer = CdpSigner(key_id, secret, clock=lambda: clock[0].timestamp(), nonce=lambda: "n")
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
    base = "http://127.0.0.1:8600/coinbase_advanced/api/v3/brokerage"
    async with httpx.AsyncClient(transport=transport, auth=CdpAuth(signer)) as http:
        for number in range(40):
            clock[0] += timedelta(milliseconds=150)
            app.step()
            order = {"client_order_id": f"c{number}", "product_id": "BTC-USD", "side": "BUY",
                     "order_configuration": {"market_market_ioc": {"quote_size": "500"}}}
            heard.update((await http.post(f"{base}/orders", json=order)).content)
            await asyncio.sleep(0)
        for path in ("orders/historical/batch", "orders/historical/fills", "accounts"):
            answer = await http.get(f"{base}/{path}")
            heard.update(answer.content)
        counts["fills"] = len(app.venues["coinbase_advanced"].exchange.fills)
    app.second()
    for _ in range(5):
        await asyncio.sleep(0)
    for task, frames in listeners:
        task.cancel()
        heard.update(b"".join(frames))
    app.close()
    print(json.dumps([heard.hexdigest(), counts]))

asyncio.run(main())
"""


def told(tmp_path: Path, name: str, key: tuple[str, str], *, seed: int, hashing: int) -> str:
    folder = tmp_path / name
    shutil.copytree(tmp_path / "keys", folder)
    root = str(Path(__file__).parents[3])
    ran = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder), str(seed), *key],
        env={**os.environ, "PYTHONPATH": root, "PYTHONHASHSEED": str(hashing)},
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.timeout(30)
def test_the_same_seed_clock_and_calls_are_byte_identical_in_another_process(tmp_path):
    key = generate_demo_key()
    register_key(tmp_path / "keys", key.entry)
    named = (key.key_id, key.secret)

    one = told(tmp_path, "one", named, seed=7, hashing=1)
    two = told(tmp_path, "two", named, seed=7, hashing=2)
    other = told(tmp_path, "other", named, seed=8, hashing=1)

    assert one == two
    assert one.split(",")[0] != other.split(",")[0]
    assert '"fills": 0' not in one
    assert '"frames": 0' not in one
