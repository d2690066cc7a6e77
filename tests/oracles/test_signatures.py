"""Libraries that know the venues from elsewhere sign what we sign, as we sign it."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from venues.adapters.coinbase_exchange.signer import ExchangeAuth
from venues.adapters.contract import ApiKey
from venues.simulator.keys import BadToken, KeyEntry, KeyRing
from venues.transport.signer import CdpSigner
from venues.transport.signers.mac import (
    HeaderAuth,
    Mac,
    SecretIs,
    Written,
    stamp_method_path_body,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60, func_only=True)]

T = 1735689600
NONCE = "0123456789abcdef" * 4
KEY = (
    "organizations/00000000-0000-4000-8000-000000000001"
    "/apiKeys/00000000-0000-4000-8000-000000000002"
)
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
TOKEN_URIS = {
    "A1": "GET api.coinbase.com/api/v3/brokerage/accounts",
    "A2": "POST api.coinbase.com/api/v3/brokerage/orders",
    "A3": None,
}
ED25519_SIGNATURES = {
    "A1": "VaZknchtQd2lIKvShv2k9S-0sXowgq66g0qYkGlgwf9tI5m_JGgEFNIiGSfooeQEjRO20K8Yz09EpHW96wKCDw",
    "A2": "EGi2kJ6NCH3L1YdNRpIzijkpCSTdJl8R13eTimPvQrfeN1zFzHHQyA3YmTYO57HWbAo1fBW8ORsaJb9cfcBTCQ",
    "A3": "UDD2x_wDGc1sIKU7pedBPEI74eZDg8WgPjAdzXG8RjVC89IhUO7RKihc8oDZ79EN0zrWrip_SZvTS-00c-e1DQ",
}
P256_INPUTS = {
    "A1": "b69756cc71ed7599f2656d38b4a649aa2f6ba07e7c68cd52c835c238799fcd7b",
    "A3": "6e94822488f3bec1e2664de7d9a20c8d5af7f78323da57702b0f7417ef33e3db",
}


def ed25519() -> Ed25519PrivateKey:
    seed = hashlib.sha256(b"dummy ed25519 test key - not a secret").digest()
    return Ed25519PrivateKey.from_private_bytes(seed)


def p256() -> ec.EllipticCurvePrivateKey:
    digest = hashlib.sha256(b"dummy p256 test key - not a secret").digest()
    return ec.derive_private_key(int.from_bytes(digest) % (P256_ORDER - 1) + 1, ec.SECP256R1())


def pem(key: ec.EllipticCurvePrivateKey) -> str:
    form = PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def public_pem(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> str:
    form = PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(Encoding.PEM, form).decode()


def ours(secret: str, uri: str | None) -> str:
    signer = CdpSigner(KEY, secret, clock=lambda: T + 0.9, nonce=lambda: NONCE)
    if uri is None:
        return signer.websocket_token()
    method, _, rest = uri.partition(" ")
    host, slash, path = rest.partition("/")
    return signer.rest_token(method, host, slash + path)


def signed(token: str) -> str:
    return token.rpartition(".")[0]


def test_the_official_sdk_makes_the_same_ed25519_tokens_to_the_byte(sdks):
    secret = base64.b64encode(
        ed25519().private_bytes_raw() + ed25519().public_key().public_bytes_raw()
    ).decode()
    make = [{"secret": secret, "uri": uri} for uri in TOKEN_URIS.values()]
    asked = {"at": T, "nonce": NONCE, "key": KEY, "make": make, "read": []}
    made = sdks.ask("advanced_tokens", asked)["made"]

    assert made == [ours(secret, uri) for uri in TOKEN_URIS.values()]
    assert [one.rpartition(".")[2] for one in made] == list(ED25519_SIGNATURES.values())


def test_p256_tokens_of_the_official_sdk_and_ours_sign_the_same_and_each_side_believes_the_other(
    sdks, tmp_path
):
    secret, public = pem(p256()), public_pem(p256())
    wanted = {name: TOKEN_URIS[name] for name in P256_INPUTS}
    own = [ours(secret, uri) for uri in wanted.values()]
    make = [{"secret": secret, "uri": uri} for uri in wanted.values()]
    read = [{"token": token, "public": public} for token in own]
    asked = {"at": T, "nonce": NONCE, "key": KEY, "make": make, "read": read}
    said = sdks.ask("advanced_tokens", asked)
    entry = KeyEntry(key_id=KEY, account_ref="judge", public_key_pem=public)
    (tmp_path / "keys.json").write_bytes(msgspec.json.encode([entry]))
    keys = KeyRing(tmp_path, "coinbase_advanced", lambda: float(T))

    assert [signed(one) for one in said["made"]] == [signed(one) for one in own]
    assert [hashlib.sha256(signed(one).encode()).hexdigest() for one in own] == list(
        P256_INPUTS.values()
    )
    for token, uri in zip(said["made"], wanted.values(), strict=True):
        assert keys.verify(token, uris=None if uri is None else frozenset({uri})) == entry
    with pytest.raises(BadToken):
        keys.verify(signed(said["made"][0]) + "." + said["made"][1].rpartition(".")[2], uris=None)
    assert [(one["sub"], one["exp"], one.get("uri")) for one in said["read"]] == [
        (KEY, T + 120, uri) for uri in wanted.values()
    ]


EXCHANGE_KEY = {
    "apiKey": "0123456789abcdef" * 2,
    "secret": base64.b64encode(
        hashlib.sha512(b"dummy exchange secret - not a secret").digest()
    ).decode(),
    "password": "dummy-passphrase",
}
EXCHANGE_CALLS: dict[str, dict[str, Any]] = {
    "E1": {"path": "orders", "method": "GET", "params": {"status": "open", "limit": 100}},
    "E2": {
        "path": "orders",
        "method": "POST",
        "params": {
            "type": "limit",
            "side": "buy",
            "product_id": "BTC-USD",
            "price": "50000.00",
            "size": "0.01",
            "time_in_force": "GTC",
            "post_only": True,
            "client_oid": "11111111-2222-4333-8444-555555555555",
        },
    },
    "E3": {
        "path": "orders/{id}",
        "method": "DELETE",
        "params": {"id": "a9625b04-fc66-4999-a876-543c3684d702"},
    },
    "a query that has to be escaped": {
        "path": "fills",
        "method": "GET",
        "params": {"product_id": "BTC-USD", "start_date": "2025-01-01T00:00:00+01:00"},
    },
    "a query under a path with an id": {
        "path": "accounts/{id}/ledger",
        "method": "GET",
        "params": {"id": "7d0f7d8e", "before": 7, "limit": 100},
    },
    "a cancel that names its product": {
        "path": "orders/client:{client_oid}",
        "method": "DELETE",
        "params": {"client_oid": "11111111-2222", "product_id": "BTC-USD"},
    },
}
EXCHANGE_SIGNATURES = {
    "E1": "CXLKt/ZIosGtZPrVrYMO4wlJdLzDaqht03bDjGI2EGk=",
    "E2": "bRJsNSzwzcDtXc3Tx6k6kBUAzWoqfuTRn0kLHY8aECQ=",
    "E3": "Xw9IQLrVwuQuhRljAiuTQse42Fk2j7HBWfluEXEgwOc=",
}
ADVANCED_KEY = {"apiKey": "dummyLegacyKey", "secret": "dummyLegacySecret0123456789abcdef"}
ADVANCED_CALLS: dict[str, dict[str, Any]] = {
    "A6": {"path": "brokerage/accounts", "method": "GET", "params": {"limit": 49}},
    "A7": {
        "path": "brokerage/orders",
        "method": "POST",
        "params": {
            "client_order_id": "11111111-2222-4333-8444-555555555555",
            "product_id": "BTC-USD",
            "side": "BUY",
            "order_configuration": {
                "limit_limit_gtc": {
                    "base_size": "0.001",
                    "limit_price": "10000.00",
                    "post_only": False,
                }
            },
        },
    },
}
ADVANCED_SIGNATURES = {
    "A6": "52fe938a5ad49c063f8316076175be196624cf84ac9bdd2b8f43cdf6fdddbaef",
    "A7": "5839cd039915de3d33c73c1e1c90eaeda83daa0d18d5cbcd4a9d93d3235d88b7",
}


def we_sign(auth: httpx.Auth, theirs: dict[str, Any]) -> str:
    """Sign with our step the very request that ccxt would send."""
    body = (theirs["body"] or "").encode()
    request = httpx.Request(theirs["method"], theirs["url"], content=body)
    sent = next(auth.sync_auth_flow(request))
    return str(sent.headers["CB-ACCESS-SIGN"])


def test_ccxt_signs_both_coinbase_venues_as_we_do_to_the_byte(ccxt):
    asked = {
        "at": T,
        "exchange": EXCHANGE_KEY,
        "advanced": ADVANCED_KEY,
        "exchange_calls": list(EXCHANGE_CALLS.values()),
        "advanced_calls": list(ADVANCED_CALLS.values()),
    }
    theirs = ccxt.ask("ccxt_signatures", asked)
    more = {"passphrase": EXCHANGE_KEY["password"]}
    key = ApiKey(key_id=EXCHANGE_KEY["apiKey"], secret=EXCHANGE_KEY["secret"], more=more)
    exchange = ExchangeAuth(key, lambda: T + 0.9)
    advanced = HeaderAuth(
        Mac(ADVANCED_KEY["secret"], secret_is=SecretIs.TEXT, written=Written.HEX),
        prehash=stamp_method_path_body,
        stamp=lambda _: str(T),
        headers=lambda _, signature: {"CB-ACCESS-SIGN": signature},
    )

    for auth, calls, said, vectors in (
        (exchange, EXCHANGE_CALLS, theirs["exchange"], EXCHANGE_SIGNATURES),
        (advanced, ADVANCED_CALLS, theirs["advanced"], ADVANCED_SIGNATURES),
    ):
        signatures = {
            name: one["headers"]["CB-ACCESS-SIGN"] for name, one in zip(calls, said, strict=True)
        }
        assert {name: we_sign(auth, one) for name, one in zip(calls, said, strict=True)} == (
            signatures
        )
        assert {name: signatures[name] for name in vectors} == vectors
        assert len(set(signatures.values())) == len(calls)
    # E4; ccxt sends its second as a number
    assert theirs["exchange_socket"] == {**exchange.subscription(), "timestamp": T}
    assert theirs["exchange_socket"]["signature"] == "w3h1mBDtAircyFJfRln4ZkJOqxHIJAVnpVFGwFBpxqc="
