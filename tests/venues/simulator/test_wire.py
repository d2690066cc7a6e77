"""The simulated venue's own manners: who it lets in, what it answers, what it can be told to do."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from websockets.asyncio.client import connect

from venues.simulator.app import Simulator, free_socket
from venues.simulator.demo_keys import DemoKey, generate_demo_key, register_key
from venues.simulator.keys import KeyEntry
from venues.transport.signer import CdpAuth, CdpSigner

NOW = datetime(2026, 1, 1, tzinfo=UTC)
T = int(NOW.timestamp())
HOST = "127.0.0.1:8600"
ROOT = "/coinbase_advanced/api/v3/brokerage"


class Venue:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = generate_demo_key()
        register_key(folder, self.key.entry)
        self.app = Simulator(folder, 1, now=lambda: NOW, is_ticking=False)
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, client=("127.0.0.1", 1)),
            base_url=f"http://{HOST}",
        )

    def auth(self, key: DemoKey | None = None, *, at: float = T) -> CdpAuth:
        key = key or self.key
        return CdpAuth(CdpSigner(key.key_id, key.secret, clock=lambda: at, nonce=lambda: "n"))

    async def get(self, path: str, **options: Any) -> httpx.Response:
        options.setdefault("auth", self.auth())
        return await self.http.get(ROOT + path, **options)

    async def place(self, **changes: Any) -> dict[str, Any]:
        body = {
            "client_order_id": "c1",
            "product_id": "BTC-USD",
            "side": "BUY",
            "order_configuration": {
                "limit_limit_gtc": {"base_size": "0.1", "limit_price": "60000"}
            },
            **changes,
        }
        answer = await self.http.post(f"{ROOT}/orders", json=body, auth=self.auth())
        return {"status": answer.status_code, **answer.json()}

    async def control(self, path: str, body: object) -> httpx.Response:
        return await self.http.post(f"/_control/{path}", json=body)


@pytest.fixture
async def venue(tmp_path: Path) -> AsyncIterator[Venue]:
    venue = Venue(tmp_path)
    yield venue
    await venue.http.aclose()
    venue.app.close()


def segment(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def token(key: DemoKey, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """Make a token by hand, as other clients do."""
    head = {"alg": "EdDSA", "kid": key.key_id, "nonce": "n", "typ": "JWT", **(header or {})}
    body = {
        "sub": key.key_id,
        "iss": "cdp",
        "nbf": T,
        "exp": T + 120,
        "uri": f"GET {HOST}{ROOT}/accounts",
        **claims,
    }
    body = {name: value for name, value in body.items() if value is not None}
    signed = f"{segment(json.dumps(head).encode())}.{segment(json.dumps(body).encode())}"
    private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(key.secret)[:32])
    return f"{signed}.{segment(private.sign(signed.encode()))}"


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"uri": None, "uris": [f"GET {HOST}{ROOT}/accounts"], "aud": ["cdp_service"], "iat": T},
        {"uri": "GET api.coinbase.com/api/v3/brokerage/accounts"},
        {"iss": "coinbase-cloud", "aud": ["retail_rest_api_proxy"]},
        {"nbf": T + 4, "exp": T + 124},
    ],
    ids=["sdk", "uris", "real host", "older issuer", "a little ahead"],
)
async def test_a_token_other_clients_make_is_let_in(venue, claims):
    headers = {"Authorization": f"Bearer {token(venue.key, **claims)}"}

    assert (await venue.get("/accounts", auth=None, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({}, {"sub": "someone"}),
        ({"kid": "someone"}, {"sub": "someone"}),
        ({"alg": "ES256"}, {}),
        ({"alg": "none"}, {}),
        ({}, {"nbf": T - 300, "exp": T - 180}),
        ({}, {"nbf": T + 60, "exp": T + 180}),
        ({}, {"exp": T + 121}),
        ({}, {"uri": f"POST {HOST}{ROOT}/accounts"}),
        ({}, {"uri": f"GET {HOST}{ROOT}/orders"}),
        ({}, {"uri": f"GET evil.test{ROOT}/accounts"}),
        ({}, {"uri": None}),
        ({}, {"nbf": "soon"}),
    ],
)
async def test_a_token_that_proves_nothing_is_shut_out(venue, header, claims):
    headers = {"Authorization": f"Bearer {token(venue.key, header=header, **claims)}"}

    answer = await venue.get("/accounts", auth=None, headers=headers)

    assert (answer.status_code, answer.text) == (401, "Unauthorized")


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer x", "Bearer a.b.c", "Basic eHg6eHg=", "Bearer ..", "é"]
)
async def test_what_is_no_token_is_shut_out(venue, authorization):
    headers = {"Authorization": authorization.encode("latin-1")}

    assert (await venue.get("/accounts", auth=None, headers=headers)).status_code == 401


async def test_a_changed_token_is_shut_out(venue):
    head, body, signature = token(venue.key).split(".")
    other = token(venue.key, exp=T + 60).split(".")[1]

    for forged in (f"{head}.{other}.{signature}", f"{head}.{body}.{signature[:-4]}AAAA"):
        answer = await venue.get(
            "/accounts", auth=None, headers={"Authorization": f"Bearer {forged}"}
        )
        assert answer.status_code == 401


async def test_a_p256_key_added_later_is_let_in(venue):
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    entry = KeyEntry(key_id="later", account_ref="pem", public_key_pem=public.decode())
    register_key(venue.folder, entry)
    head = segment(json.dumps({"alg": "ES256", "kid": "later"}).encode())
    claims = {"sub": "later", "nbf": T, "exp": T + 120, "uri": f"GET {HOST}{ROOT}/accounts"}
    body = segment(json.dumps(claims).encode())
    r, s = decode_dss_signature(private.sign(f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256())))
    signature = segment(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    answer = await venue.get(
        "/accounts", auth=None, headers={"Authorization": f"Bearer {head}.{body}.{signature}"}
    )

    assert answer.status_code == 200


async def test_a_damaged_key_file_leaves_the_known_keys_working(venue, caplog):
    assert (await venue.get("/accounts")).status_code == 200
    (venue.folder / "keys.json").write_text('[{"key_id":"x","account_ref":"y","public_key":"!"}]')
    stranger = generate_demo_key("stranger")

    assert (await venue.get("/accounts", auth=venue.auth(stranger))).status_code == 401
    assert (await venue.get("/accounts")).status_code == 200
    assert "keys.json cannot be read" in caplog.text


async def test_accounts_do_not_see_each_other(venue):
    await venue.place()
    stranger = generate_demo_key("stranger")
    register_key(venue.folder, stranger.entry)

    mine = (await venue.get("/orders/historical/batch")).json()["orders"]
    theirs = await venue.get("/orders/historical/batch", auth=venue.auth(stranger))
    one = await venue.get(f"/orders/historical/{mine[0]['order_id']}", auth=venue.auth(stranger))
    assert theirs.json()["orders"] == []
    assert (one.status_code, one.json()["error"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    "path",
    [
        "/time",
        "/market/products",
        "/market/products/BTC-USDC",
        "/market/products/BTC-USD/ticker?limit=2",
        "/market/product_book?product_id=BTC-USD&limit=2",
    ],
)
async def test_public_reads_need_no_key(venue, path):
    venue.app.step()

    assert (await venue.get(path, auth=None)).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/products",
        "/product_book?product_id=BTC-USD",
        "/best_bid_ask?product_ids=BTC-USD&product_ids=ETH-USD",
        "/key_permissions",
        "/transaction_summary",
        "/orders/historical/batch",
        "/orders/historical/fills",
        "/products/BTC-USD",
    ],
)
async def test_private_reads_answer_with_a_key_and_not_without(venue, path):
    assert (await venue.get(path)).status_code == 200
    assert (await venue.get(path, auth=None)).status_code == 401


async def test_the_alias_of_a_usdc_product_is_told(venue):
    usdc = (await venue.get("/market/products/BTC-USDC", auth=None)).json()
    usd = (await venue.get("/market/products/BTC-USD", auth=None)).json()

    assert (usdc["alias"], usd["alias_to"]) == ("BTC-USD", ["BTC-USDC"])


@pytest.mark.parametrize(
    "changes",
    [
        {"side": "HOLD"},
        {"order_configuration": {}},
        {"order_configuration": {"a": {}, "b": {}}},
        {"order_configuration": {"twap_limit_gtd": {}}},
        {"order_configuration": {"limit_limit_gtc": {"base_size": "NaN", "limit_price": "1"}}},
        {"order_configuration": {"limit_limit_gtc": {"base_size": 1, "limit_price": "1"}}},
        {"client_order_id": ""},
        {"client_order_id": None},
    ],
)
async def test_a_malformed_order_is_a_400(venue, changes):
    assert (await venue.place(**changes))["status"] == 400


async def test_a_refusal_is_a_200_that_says_no(venue):
    answer = await venue.place(
        order_configuration={"limit_limit_gtc": {"base_size": "3000", "limit_price": "60000"}}
    )

    assert (answer["status"], answer["success"]) == (200, False)
    assert answer["error_response"]["error"] == "INSUFFICIENT_FUND"
    assert answer["error_response"]["preview_failure_reason"] == "PREVIEW_INSUFFICIENT_FUND"


async def test_accounts_come_in_pages(venue):
    seen: list[str] = []
    cursor = ""
    for _ in range(9):
        page = (await venue.get("/accounts", params={"limit": "2", "cursor": cursor})).json()
        seen += [one["currency"] for one in page["accounts"]]
        cursor = page["cursor"]
        if not page["has_next"]:
            break
    one = (await venue.get(f"/accounts/{page['accounts'][0]['uuid']}")).json()["account"]

    assert seen == ["BTC", "ETH", "SOL", "USD", "USDC"]
    assert one["currency"] == "USDC"


async def test_bad_parameters_are_a_400_and_unknown_things_a_404(venue):
    assert (await venue.get("/orders/historical/batch?limit=x")).status_code == 400
    assert (await venue.get("/orders/historical/batch?start_date=x")).status_code == 400
    assert (await venue.get("/nothing/here")).status_code == 404
    assert (await venue.get("/market/products/NO-PE", auth=None)).status_code == 404
    assert (await venue.http.get("/other_venue/x")).status_code == 404


async def test_faults_come_as_often_as_they_were_ordered(venue):
    await venue.control("faults", {"kind": "rate_limit", "count": 2, "retry_after": 3})

    answers = [await venue.get("/accounts") for _ in range(3)]

    assert [one.status_code for one in answers] == [429, 429, 200]
    assert answers[0].headers["retry-after"] == "3"
    state = (await venue.http.get("/_control/state")).json()
    assert state["faults"] == []


async def test_the_next_order_can_be_refused(venue):
    await venue.control(
        "faults", {"kind": "reject", "path": "/orders", "code": "UNTRADABLE_PRODUCT"}
    )

    assert (await venue.place())["error_response"]["error"] == "UNTRADABLE_PRODUCT"
    assert (await venue.place())["success"]


async def test_the_market_can_be_frozen_moved_and_halted(venue):
    await venue.control("freeze", {"is_frozen": True})
    before = (await venue.get("/market/product_book?product_id=BTC-USD", auth=None)).json()
    venue.app.step()
    after = (await venue.get("/market/product_book?product_id=BTC-USD", auth=None)).json()
    assert before == after

    await venue.control("price", {"market": "BTC-USD", "price": "70000"})
    moved = (await venue.get("/market/product_book?product_id=BTC-USD", auth=None)).json()
    assert moved["pricebook"]["bids"][0]["price"].startswith("69999")

    await venue.control("halt", {"is_halted": True})
    assert (await venue.place())["error_response"]["error"] == "ORDER_ENTRY_DISABLED"


async def test_control_is_for_this_machine_and_no_browser(venue):
    stranger = httpx.AsyncClient(
        transport=httpx.ASGITransport(venue.app, client=("10.0.0.9", 1)), base_url=f"http://{HOST}"
    )
    assert (await stranger.get("/_control/state")).status_code == 403
    await stranger.aclose()
    rebound = await venue.http.get("/_control/state", headers={"host": "evil.test:8600"})
    assert rebound.status_code == 403
    form = await venue.http.post(
        "/_control/clear", content=b"{}", headers={"content-type": "text/plain"}
    )
    assert form.status_code == 403
    assert (await venue.control("faults", {"kind": "nonsense"})).status_code == 400
    assert (await venue.control("nothing", {})).status_code == 404


CHILD = """
import sys
from pathlib import Path
from venues.simulator.app import serve
serve(host="127.0.0.1", port=int(sys.argv[1]), data_dir=Path(sys.argv[2]), seed=1)
"""


@contextmanager
def running(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    bound = free_socket()
    port = bound.getsockname()[1]
    bound.close()
    root = str(Path(__file__).parents[3])
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(port), str(folder)],
        env={**os.environ, "PYTHONPATH": root},
        cwd=root,
    )
    try:
        yield child, port
    finally:
        child.kill()
        child.wait()


async def open_socket(port: int) -> Any:
    for _ in range(200):
        try:
            return await connect(f"ws://127.0.0.1:{port}/coinbase_advanced/ws", proxy=None)
        except OSError:
            await asyncio.sleep(0.02)
    message = "the simulator did not start"
    raise AssertionError(message)


async def test_it_stops_within_two_seconds_with_sockets_open(tmp_path):
    with running(tmp_path) as (child, port):
        sockets = [await open_socket(port) for _ in range(3)]
        for socket in sockets:
            await socket.send('{"type":"subscribe","channel":"level2","product_ids":["BTC-USD"]}')
            assert b"snapshot" in await socket.recv(decode=False)
        began = time.monotonic()
        child.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(child.wait, 4)
        for socket in sockets:
            await socket.close()

    assert code == 0
    assert time.monotonic() - began < 2
