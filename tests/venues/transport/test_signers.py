"""Every signature vector of the venues' fact sheets, made by the steps that sign what is sent."""

from __future__ import annotations

import base64
import hashlib
import hmac

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from venues.interface.errors import Cause, NotSent
from venues.transport.signers.keypair import BearerAuth, CustodyAuth, Ed25519Signer, P256Signer
from venues.transport.signers.mac import (
    HeaderAuth,
    Mac,
    Prehash,
    QueryAuth,
    SecretIs,
    Written,
    nonce_of,
    path_and_digest,
    stamp_method_path_body,
    stamp_method_target_body,
)

T = "1735689600"


def sent(
    auth: httpx.Auth,
    method: str,
    url: str,
    body: bytes = b"",
    nonce: int | None = None,
    headers: dict[str, str] | None = None,
) -> httpx.Request:
    """Send one request to nowhere and return it as the wire saw it."""
    seen: list[httpx.Request] = []

    def wire(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    with httpx.Client(transport=httpx.MockTransport(wire)) as client:
        request = client.build_request(method, url, content=body or None, headers=headers)
        if nonce is not None:
            request.extensions["nonce"] = nonce
        client.send(request, auth=auth)
    return seen[0]


def header_auth(mac: Mac, prehash: Prehash, stamp: str, name: str) -> HeaderAuth:
    return HeaderAuth(
        mac,
        prehash=prehash,
        stamp=lambda _: stamp,
        headers=lambda at, signature: {name: signature, f"{name}-AT": at},
    )


EXCHANGE = Mac(
    "ULHJHZramf7g5qsiegDjafTqF/h3VNKHQ5TAJnrbfIyFZXegdeEeoJ32kGI1noiyjvVDI7OQgwSJ2wzYeepSXw==",
    secret_is=SecretIs.BASE64,
    written=Written.BASE64,
)
EXCHANGE_ORDER = (
    '{"type":"limit","side":"buy","product_id":"BTC-USD","price":"50000.00","size":"0'
    '.01","time_in_force":"GTC","post_only":true,"client_oid":"11111111-2222-4333-844'
    '4-555555555555"}'
)


@pytest.mark.parametrize(
    ("method", "target", "body", "signature"),
    [
        (
            "GET",
            "/orders?status=open&limit=100",
            "",
            "CXLKt/ZIosGtZPrVrYMO4wlJdLzDaqht03bDjGI2EGk=",
        ),
        ("POST", "/orders", EXCHANGE_ORDER, "bRJsNSzwzcDtXc3Tx6k6kBUAzWoqfuTRn0kLHY8aECQ="),
        (
            "DELETE",
            "/orders/a9625b04-fc66-4999-a876-543c3684d702",
            "",
            "Xw9IQLrVwuQuhRljAiuTQse42Fk2j7HBWfluEXEgwOc=",
        ),
    ],
    ids=["E1", "E2", "E3"],
)
def test_coinbase_exchange_signs_path_query_and_body(method, target, body, signature):
    auth = header_auth(EXCHANGE, stamp_method_target_body, T, "CB-ACCESS-SIGN")
    request = sent(auth, method, f"https://api.exchange.coinbase.com{target}", body.encode())

    assert request.headers["CB-ACCESS-SIGN"] == signature
    assert request.headers["CB-ACCESS-SIGN-AT"] == T
    assert request.content == body.encode()


def test_coinbase_exchange_signs_its_socket_as_vector_e4():
    assert EXCHANGE.sign(f"{T}GET/users/self/verify".encode()) == (
        "w3h1mBDtAircyFJfRln4ZkJOqxHIJAVnpVFGwFBpxqc="
    )


ADVANCED = Mac("dummyLegacySecret0123456789abcdef", secret_is=SecretIs.TEXT, written=Written.HEX)
ADVANCED_ORDER = (
    '{"client_order_id":"11111111-2222-4333-8444-555555555555","product_id":"BTC-USD"'
    ',"side":"BUY","order_configuration":{"limit_limit_gtc":{"base_size":"0.001","lim'
    'it_price":"10000.00","post_only":false}}}'
)


@pytest.mark.parametrize(
    ("method", "target", "body", "signature"),
    [
        (
            "GET",
            "/api/v3/brokerage/accounts?limit=49",
            "",
            "52fe938a5ad49c063f8316076175be196624cf84ac9bdd2b8f43cdf6fdddbaef",
        ),
        (
            "POST",
            "/api/v3/brokerage/orders",
            ADVANCED_ORDER,
            "5839cd039915de3d33c73c1e1c90eaeda83daa0d18d5cbcd4a9d93d3235d88b7",
        ),
    ],
    ids=["A6", "A7"],
)
def test_an_old_key_of_coinbase_advanced_leaves_the_query_unsigned(method, target, body, signature):
    auth = header_auth(ADVANCED, stamp_method_path_body, T, "CB-ACCESS-SIGN")
    request = sent(auth, method, f"https://api.coinbase.com{target}", body.encode())

    assert request.headers["CB-ACCESS-SIGN"] == signature


PRIME = Mac("dummySigningKey0123456789abcdef==", secret_is=SecretIs.TEXT, written=Written.BASE64)
PORTFOLIO = "3e1fe27e-26fe-46d8-b118-c752a2ae6b47"
SOCKET = "dummyAccessKey00017f1e5d1c-0000-4000-8000-00000000abcd1735689600"
PRIME_ORDER = (
    '{"portfolio_id": "3e1fe27e-26fe-46d8-b118-c752a2ae6b47", "product_id": "BTC-USD"'
    ', "side": "BUY", "type": "LIMIT", "client_order_id": "f69a20b1-4ac4-420e-90b5-81'
    '4a12565bfa", "base_quantity": "0.5", "limit_price": "50000.12", "time_in_force":'
    ' "GOOD_UNTIL_CANCELLED"}'
)


@pytest.mark.parametrize(
    ("method", "target", "body", "signature"),
    [
        ("GET", "/open_orders", "", "0utHaTieUyEuCeUOQ8Pqs7najypTN1/Yys+tuvHAjDk="),
        ("GET", "/open_orders?limit=5", "", "0utHaTieUyEuCeUOQ8Pqs7najypTN1/Yys+tuvHAjDk="),
        ("POST", "/order", PRIME_ORDER, "Q4gT3/OOrWFv7OkM4hj1gWh6nfXDevpo6iI38J9JFIo="),
    ],
    ids=["P1", "P1 with a query", "P2"],
)
def test_coinbase_prime_signs_path_and_body_with_the_key_as_text(method, target, body, signature):
    auth = header_auth(PRIME, stamp_method_path_body, T, "X-CB-ACCESS-SIGNATURE")
    url = f"https://api.prime.coinbase.com/v1/portfolios/{PORTFOLIO}{target}"
    request = sent(auth, method, url, body.encode())

    assert request.headers["X-CB-ACCESS-SIGNATURE"] == signature


@pytest.mark.parametrize(
    ("prehash", "signature"),
    [
        (f"l2_data{SOCKET}BTC-USDETH-USD", "E/cC+2lSVJ2vaOwO9qF/c23qC48GGuWBTn2BJx9IjXs="),
        (
            f"orders{SOCKET}{PORTFOLIO}BTC-USDETH-USD",
            "QzQpmyYPZ25cZmaoDGXIPL1T4v4tU631v9OIvYpMteE=",
        ),
        (f"heartbeats{SOCKET}BTC-USD", "IDyFGZg4SmESgmqMsIVAjb0KzlQwNyzm2FMMKVb/rjk="),
    ],
    ids=["P3", "P4", "P5"],
)
def test_coinbase_prime_signs_its_socket(prehash, signature):
    assert PRIME.sign(prehash.encode()) == signature


KRAKEN = Mac(
    "ZHVtbXkta3Jha2VuLXNlY3JldC1mb3ItdGVzdHMtb25seS0wMTIzNDU2Nzg5YWJjZGVmLTAxMjM0NTY3ODlhYg==",
    secret_is=SecretIs.BASE64,
    written=Written.BASE64,
    digest="sha512",
)
KRAKEN_NONCE = 1700000000000


def kraken_auth() -> HeaderAuth:
    return HeaderAuth(
        KRAKEN,
        prehash=path_and_digest,
        stamp=nonce_of,
        headers=lambda _, signature: {"API-Sign": signature},
    )


@pytest.mark.parametrize(
    ("target", "body", "signature"),
    [
        pytest.param(
            "/0/private/Balance",
            "nonce=1700000000000",
            "NYnfeIWFTHfeumbHv/vzyuf0wTZVALFfAmDoPvbWwxOO34p2jw1u7It8kZyuBdJurv5B+eysyht/1gPavZ3cYg==",
            id="K1",
        ),
        pytest.param(
            "/0/private/AddOrder",
            (
                "nonce=1700000000000&ordertype=limit&type=buy&volume=0.00100000&pair=XBTU"
                "SD&price=35000.0&timeinforce=GTC&cl_ord_id=ops-00000001"
            ),
            "8uN1eI7SSOYAKRZrYAmsxh7IBN/LsFGpO+90bydWDBMQmzm9OvYdyD9nLbo2bhvbabi6w0BNFucyMkA8KQ2utg==",
            id="K2",
        ),
        pytest.param(
            "/0/private/CancelOrder",
            "nonce=1700000000000&cl_ord_id=ops-00000001",
            "khh+t9ZqLP34vtaeBJC6V1s3ilNEYGusValaGErOHE710k2mfCHvrwqrp8/xOtB9o2xun56oWrO4PVdt2ERaHw==",
            id="K3",
        ),
        pytest.param(
            "/0/private/GetWebSocketsToken",
            "nonce=1700000000000",
            "B+D7UKZU7AKekvO7mfFjjrVaon0FXM/MDfEuHRfImC6ZBwbuQj2gB0MZh5uI1XgsGX5l+wiwOEXLkbnbgBiYtw==",
            id="K4",
        ),
        pytest.param(
            "/0/private/AddOrderBatch",
            (
                '{"pair": "XBTUSD", "orders": [{"ordertype": "limit", "type": "buy", "vol'
                'ume": "0.001", "price": "35000.0", "cl_ord_id": "ops-1"}, {"ordertype": '
                '"limit", "type": "buy", "volume": "0.001", "price": "34999.0", "cl_ord_i'
                'd": "ops-2"}], "nonce": "1700000000000"}'
            ),
            "8fYHQxCw2DCr9ememvULW6Pv//XTST16gyGOnNv7+pl3mt4NObqqiQHTO6/uPsLpOfh4GOV+QGwar8Jx3Paw7g==",
            id="K5",
        ),
    ],
)
def test_kraken_signs_path_and_a_digest_of_nonce_and_body(target, body, signature):
    url = f"https://api.kraken.com{target}"
    request = sent(kraken_auth(), "POST", url, body.encode(), KRAKEN_NONCE)

    assert request.headers["API-Sign"] == signature
    assert request.content == body.encode()


def test_a_call_that_passed_no_gate_has_no_nonce_and_is_not_sent():
    with pytest.raises(NotSent, match="nonce"):
        sent(kraken_auth(), "POST", "https://api.kraken.com/0/private/Balance", b"nonce=1")


FALCONX_SECRET = (
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
)
FALCONX = Mac(FALCONX_SECRET, secret_is=SecretIs.BASE64, written=Written.BASE64)
FALCONX_T = "1700000000.123456"


@pytest.mark.parametrize(
    ("method", "target", "body", "signature"),
    [
        pytest.param(
            "GET",
            "/v1/pairs",
            "",
            "sZF1GhZErn5TmLin/j98zmGQ4NGI7uyhjnc/pCxAJC4=",
            id="V1",
        ),
        pytest.param(
            "GET",
            "/v1/balances?platform=api",
            "",
            "IrgKMyeoqBkeBfzliIYmVSe2QUSIio6H5Rrztx3otQU=",
            id="V2",
        ),
        pytest.param(
            "POST",
            "/v3/quotes",
            (
                '{"token_pair": {"base_token": "BTC", "quote_token": "USD"}, "quantity": '
                '{"token": "BTC", "value": "0.5"}, "side": "two_way", "client_order_id": '
                '"cli-0001"}'
            ),
            "fLE2rgvKWjQ8WOdycxM5EHpNi9xrNEqa6yUgO8pbxys=",
            id="V3",
        ),
        pytest.param(
            "POST",
            "/v3/quotes/execute",
            '{"fx_quote_id": "00c884b056f949338788dfb59e495377", "side": "buy"}',
            "o5sRhbI3BlYPuFRw05C042x70vLyTutSEWfN48WD0q0=",
            id="V4",
        ),
        pytest.param(
            "GET",
            "/v1/quotes/00c884b056f949338788dfb59e495377",
            "",
            "PNbtshAigA7sRspo9ZrBThESxwAKVXxO068CpzK0EeI=",
            id="V5",
        ),
        pytest.param(
            "GET",
            (
                "/v1/quotes?t_start=2026-01-01T00%3A00%3A00%2B00%3A00&t_end=2026-01-02T00"
                "%3A00%3A00%2B00%3A00&platform=api"
            ),
            "",
            "ldmw4zDAKszVUW4lT80/z4SZ3BWclp3I+HZ+a32g6eg=",
            id="V6",
        ),
        pytest.param(
            "POST",
            "/v3/order",
            (
                '{"token_pair": {"base_token": "ETH", "quote_token": "USD"}, "quantity": '
                '{"token": "ETH", "value": 0.1}, "side": "buy", "order_type": "limit", "t'
                'ime_in_force": "fok", "limit_price": 2000.5, "slippage_bps": 2, "client_'
                'order_id": "cli-2", "client_order_uuid": "449886ed-1461-467c-8489-c58b3d'
                '22381c"}'
            ),
            "j+OdG531cm6G2xZdrBfGnRUHvxmmUczjpMmx7hSv/wI=",
            id="V7",
        ),
        pytest.param(
            "POST",
            "/v1/withdraw?token=BTC&amount=1&platform=api",
            "",
            "ma9qwaE1+/0WIQcqXmzGRI+7bN24j4pm9ukLf5PnbsI=",
            id="V8",
        ),
    ],
)
def test_falconx_signs_the_query_as_it_is_sent(method, target, body, signature):
    auth = header_auth(FALCONX, stamp_method_target_body, FALCONX_T, "FX-ACCESS-SIGN")
    request = sent(auth, method, f"https://api.falconx.io{target}", body.encode())

    assert request.url.raw_path.decode() == target
    assert request.headers["FX-ACCESS-SIGN"] == signature


def test_falconx_with_a_secret_taken_as_text_signs_otherwise():
    mac = Mac(FALCONX_SECRET, secret_is=SecretIs.TEXT, written=Written.BASE64)
    message = f"{FALCONX_T}GET/v1/pairs".encode()

    assert mac.sign(message) == "CKsePEDUdmFRtmT4FkX5GpDhEEJTloYj8FCC2WNBEis="
    assert FALCONX.sign(message) != mac.sign(message)


@pytest.mark.parametrize(
    ("prehash", "signature"),
    [
        ("1700000000GET/price.tickers", "E+1QvpboQ0encxOCJdpyUZPBhQZWtRePzcj7DlwczVk="),
        ("1700000000GET/order", "7yVc+PAy1aWrCAqiKL7hHd9EFFrbq7U7psEA/k9XA3k="),
        ("1700000000.123456GET/socket.io/", "mzUg+uHyLvDmA4BvG3khBDCPzh7U7s0zYL6HQJ9VjX8="),
    ],
    ids=["W1", "W2", "W3"],
)
def test_falconx_signs_its_sockets(prehash, signature):
    assert FALCONX.sign(prehash.encode()) == signature


BINANCE_KEY = "dummyBinanceApiKey0000000000000000000000000000000000000000000001"
BINANCE = Mac(
    "dummyBinanceSecret000000000000000000000000000000000000000000001",
    secret_is=SecretIs.TEXT,
    written=Written.HEX,
)
BINANCE_HEADERS = {"X-MBX-APIKEY": BINANCE_KEY}
B1_PAYLOAD = (
    "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.00100&price=35000."
    "00&newClientOrderId=ops-00000001&recvWindow=5000&timestamp=1700000000000"
)
B7_PAYLOAD = (
    "apiKey=dummyBinanceApiKey0000000000000000000000000000000000000000000001&newClien"
    "tOrderId=ops-00000001&price=35000.00&quantity=0.00100&recvWindow=5000&side=BUY&s"
    "ymbol=BTCUSDT&timeInForce=GTC&timestamp=1700000000000&type=LIMIT"
)


@pytest.mark.parametrize(
    ("payload", "signature"),
    [
        pytest.param(
            (
                "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.00100&pric"
                "e=35000.00&newClientOrderId=ops-00000001&recvWindow=5000&timestamp=17000"
                "00000000"
            ),
            "1a2cba35caff8fceba1565421af1c2031e1b4aaac39b72d7f22d15d299c3353c",
            id="B1",
        ),
        pytest.param(
            (
                "timestamp=1700000000000&symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=G"
                "TC&quantity=0.00100&price=35000.00&newClientOrderId=ops-00000001&recvWin"
                "dow=5000"
            ),
            "f68d1bbdfae82d33626c0ed9b4ef037d394589ec942e23e3718bca7bb510af8e",
            id="B2",
        ),
        pytest.param(
            (
                "newClientOrderId=ops-00000001&price=35000.00&quantity=0.00100&recvWindow"
                "=5000&side=BUY&symbol=BTCUSDT&timeInForce=GTC&timestamp=1700000000000&ty"
                "pe=LIMIT"
            ),
            "126cf4a1331027e877bd6be2b0e16013761ee79066d37eac1756cf925f2f9d0c",
            id="B3",
        ),
        pytest.param(
            "timestamp=1700000000000&recvWindow=5000",
            "afe898349cb0aa79d4853c8a84be24d7ed8ce9ab51a9e50eb7c36e18b93d7d5b",
            id="B4",
        ),
        pytest.param(
            (
                "timestamp=1700000000000&symbol=BTCUSDT&origClientOrderId=ops-00000001&re"
                "cvWindow=5000"
            ),
            "f3b06d3096370e2c3a2682e541855b41e0f3a1ec64bd7a290416574c8d19f3cf",
            id="B5",
        ),
        pytest.param(
            ("symbol=%E8%BF%99%E6%98%AF%E6%B5%8B%E8%AF%95%E5%B8%81456&timestamp=1700000000000"),
            "5e8f70fd15b9dbbc8143a05a4f84e345a3bb900b416248303749d12280bc1405",
            id="B6",
        ),
        pytest.param(
            (
                "apiKey=dummyBinanceApiKey0000000000000000000000000000000000000000000001&"
                "newClientOrderId=ops-00000001&price=35000.00&quantity=0.00100&recvWindow"
                "=5000&side=BUY&symbol=BTCUSDT&timeInForce=GTC&timestamp=1700000000000&ty"
                "pe=LIMIT"
            ),
            "2bac33153492f05a754ed663b14f54821348162dc90c1ae036081829ccc542af",
            id="B7",
        ),
        pytest.param(
            (
                "apiKey=dummyBinanceApiKey0000000000000000000000000000000000000000000001&"
                "timestamp=1700000000000"
            ),
            "2925db6c2b2809cf86585b6820228afd67a9f13f7a7028c4f66b04db6b5c4d97",
            id="B8",
        ),
    ],
)
def test_binance_signs_the_payload_in_hex(payload, signature):
    assert BINANCE.sign(payload.encode()) == signature
    auth = QueryAuth(BINANCE.sign, headers=BINANCE_HEADERS)

    by_query = sent(auth, "GET", f"https://api.binance.com/api/v3/order?{payload}")
    assert by_query.url.query.decode() == f"{payload}&signature={signature}"
    assert by_query.headers["X-MBX-APIKEY"] == BINANCE_KEY

    by_body = sent(auth, "POST", "https://api.binance.com/api/v3/order", payload.encode())
    assert by_body.url.query.decode() == f"signature={signature}"
    assert by_body.content.decode() == payload


def test_a_time_is_put_in_front_of_the_signature():
    auth = QueryAuth(
        BINANCE.sign,
        headers=BINANCE_HEADERS,
        stamp=lambda: {"timestamp": "1700000000000", "recvWindow": "5000"},
    )
    request = sent(auth, "GET", "https://api.binance.com/api/v3/account")

    assert request.url.query.decode() == (
        "timestamp=1700000000000&recvWindow=5000"
        "&signature=afe898349cb0aa79d4853c8a84be24d7ed8ce9ab51a9e50eb7c36e18b93d7d5b"
    )


ED25519 = Ed25519Signer(base64.b64encode(bytes(range(32))).decode())


@pytest.mark.parametrize(
    ("payload", "signature"),
    [
        (
            B1_PAYLOAD,
            "XY7By6E4TArWx8kf3Yso7tjorKXaY2G4s72laIR/lKSLrhApdhcpijZO1jhOXY0j43xhI+dLi7Ln04GEzxJmAw==",
        ),
        (
            f"apiKey={BINANCE_KEY}&timestamp=1700000000000",
            "R6UPxhf/+8FQDKnx+wDdYoMOsxetY7g9+CnSueGMoEyUbiU52ciGQUn3hRvIBV1dwuR74YtbR5xY3z4o0HaUCw==",
        ),
        (
            B7_PAYLOAD,
            "eEE0uVijyn5cKsNKirARV/kP5KLawlKZmQe8p3c7CBwVyr+t/QuvQfXKucsNEe3UkBKEMSuP9emVVQZprxBYBQ==",
        ),
    ],
    ids=["B9", "B10", "B11"],
)
def test_binance_signs_with_ed25519_in_base64(payload, signature):
    assert ED25519.sign(payload.encode()) == signature


def test_a_base64_signature_is_percent_encoded_in_the_query():
    auth = QueryAuth(ED25519.sign, headers=BINANCE_HEADERS)
    request = sent(auth, "POST", f"https://api.binance.com/api/v3/order?{B1_PAYLOAD}")

    assert request.url.query.decode() == (
        f"{B1_PAYLOAD}&signature=XY7By6E4TArWx8kf3Yso7tjorKXaY2G4s72laIR%2FlKSLrhApdhcpijZO1jhO"
        "XY0j43xhI%2BdLi7Ln04GEzxJmAw%3D%3D"
    )


SCALAR = 0x88B3FBC0F83F1D418837B2672EF39921E0DD625526E4CB944DBB3166A00972FB
CUSTODY_KEY = ec.derive_private_key(SCALAR, ec.SECP256R1())
CUSTODY_PEM = CUSTODY_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
CUSTODY_BODY = (
    '{"vault_id": "5f0b1b6e-3c5e-4f39-9a52-0d6f0f3b8a11", "note": "treasury rebalance'
    '", "signer_type": "api_signer", "sign_mode": "auto", "type": "evm_transaction", '
    '"details": {"type": "evm_transfer", "gas": {"type": "priority", "priority_level"'
    ': "medium"}, "to": {"type": "hex", "address": "0x0000000000000000000000000000000'
    '0000000a1"}, "asset_identifier": {"type": "evm", "details": {"type": "native", "'
    'chain": "evm_1"}}, "value": {"type": "value", "value": "10000000000000000"}}}'
)
F1 = f"/api/v1/transactions|1700000000123|{CUSTODY_BODY}".encode()
F2 = f"/api/v1/transactions|1700000000|{CUSTODY_BODY}".encode()
F3 = (
    b"/api/v1/transactions/create-and-wait|1700000000123|"
    b'{"vault_id":"5f0b1b6e-3c5e-4f39-9a52-0d6f0f3b8a11"}'
)


def holds(signature: str, message: bytes) -> bool:
    try:
        CUSTODY_KEY.public_key().verify(
            base64.b64decode(signature, validate=True), message, ec.ECDSA(hashes.SHA256())
        )
    except InvalidSignature:
        return False
    return True


@pytest.mark.parametrize(
    ("message", "digest", "signature"),
    [
        pytest.param(
            F1,
            "37e3e46408cea0d6730118b5941408bf07239b4856068e0e0edd2d0aee6fc0fa",
            (
                "MEQCIFYztjxCbcjMxAyp9RZXEUt6NvoeR2gxcKtqW6/YnmmhAiALYITv2SQy2ipgyODs58vg"
                "4YCCP+nBKOyz9KvagoHJJA=="
            ),
            id="F1 rfc6979",
        ),
        pytest.param(
            F1,
            "37e3e46408cea0d6730118b5941408bf07239b4856068e0e0edd2d0aee6fc0fa",
            (
                "MEUCIDhzziMtwfOX+47oVKsqsjrk6mRxIHjwiSc53+AvzrYSAiEAk5I8IT8bHo9OW/zWz40s"
                "tPCax+GbRrSIRoo24EJlu2c="
            ),
            id="F1 official",
        ),
        pytest.param(
            F2,
            "c211e317f4d5badaaa8e862a7341300988a85300caacc9c6dd19fb364465b79d",
            (
                "MEUCIQDJcO/EnWfYkIjkz0/KF/Tyr6uC5rVzf8TGN/pfixe51gIgHGNzn3leSOqdpGVll/kF"
                "5KcdDdvZ2CYy80qhiqH1nTA="
            ),
            id="F2 rfc6979",
        ),
        pytest.param(
            F2,
            "c211e317f4d5badaaa8e862a7341300988a85300caacc9c6dd19fb364465b79d",
            (
                "MEYCIQCwIcmyp2MpkQ3pc6baPEHsZORQVGoQOShRm8yKiqeGmAIhALNViT1pCAmQH9q/dDmW"
                "mg7z9+S0CzA7lqP3uQMqk2/4"
            ),
            id="F2 official",
        ),
        pytest.param(
            F3,
            "face3c80fd077a983d2f906039f6d6af01d6ece7b70dfef0480f4738906f74dd",
            (
                "MEYCIQDxJnELRaF+YyE/8KQGxmKRIALrgKvUAAHyXdmyJpIIwQIhAKquThvpBtlvDtXRuz//"
                "p/4DL9QCdXtnevsIbF4dNj/A"
            ),
            id="F3 rfc6979",
        ),
    ],
)
def test_fordefis_signatures_hold_over_the_message_we_build(message, digest, signature):
    assert hashlib.sha256(message).hexdigest() == digest
    assert holds(signature, message)


def custody_auth(stamp: str, signer: P256Signer | None) -> CustodyAuth:
    return CustodyAuth(
        "dummy-token",
        signer=signer,
        stamp=lambda: stamp,
        is_signed=lambda request: request.method == "POST",
    )


@pytest.mark.parametrize(
    ("message", "stamp"), [(F1, "1700000000123"), (F2, "1700000000")], ids=["F1", "F2"]
)
def test_custody_signs_path_time_and_the_bytes_sent(message, stamp):
    auth = custody_auth(stamp, P256Signer(CUSTODY_PEM))
    url = "https://api.fordefi.com/api/v1/transactions"
    request = sent(auth, "POST", url, CUSTODY_BODY.encode())

    assert request.headers["Authorization"] == "Bearer dummy-token"
    assert request.headers["x-timestamp"] == stamp
    assert holds(request.headers["x-signature"], message)
    # F4: the same signature under another time is a replay.
    assert not holds(request.headers["x-signature"], F2 if message is F1 else F1)


def test_custody_reads_with_the_bearer_alone_and_moves_nothing_without_its_signing_half():
    auth = custody_auth("1", None)
    request = sent(auth, "GET", "https://api.fordefi.com/api/v1/vaults?page=1")
    assert "x-signature" not in request.headers

    with pytest.raises(NotSent) as refused:
        sent(auth, "POST", "https://api.fordefi.com/api/v1/transactions", b"{}")
    assert refused.value.cause is Cause.AUTH


def test_a_static_bearer_is_sent_as_it_is():
    request = sent(BearerAuth(" abc "), "GET", "https://venue.test/x")

    assert request.headers["Authorization"] == "Bearer abc"
    assert "abc" not in repr(BearerAuth("abc"))


@pytest.mark.parametrize("secret", ["", "   ", "not base64!", "AAAA*"])
def test_a_damaged_secret_is_refused_without_being_shown(secret):
    with pytest.raises(NotSent) as refused:
        Mac(secret, secret_is=SecretIs.BASE64, written=Written.BASE64)

    assert refused.value.cause is Cause.AUTH
    assert not secret.strip() or secret not in str(refused.value)


@pytest.mark.parametrize("written", Written)
@pytest.mark.parametrize("digest", ["sha256", "sha512"])
@pytest.mark.parametrize("secret_is", SecretIs)
def test_each_combination_is_what_the_standard_library_makes_of_it(secret_is, digest, written):
    secret = base64.b64encode(b"k" * 48).decode()
    key = secret.encode() if secret_is is SecretIs.TEXT else b"k" * 48
    raw = hmac.new(key, b"message", digest).digest()

    made = Mac(secret, secret_is=secret_is, written=written, digest=digest)

    expected = raw.hex() if written is Written.HEX else base64.b64encode(raw).decode()
    assert made.sign(b"message") == expected
    assert secret not in repr(made)


@pytest.mark.parametrize(
    ("make", "secret"),
    [(P256Signer, base64.b64encode(bytes(range(32))).decode()), (Ed25519Signer, CUSTODY_PEM)],
    ids=["P-256", "Ed25519"],
)
def test_a_key_of_the_other_kind_is_refused(make, secret):
    with pytest.raises(NotSent) as refused:
        make(secret)

    assert refused.value.cause is Cause.AUTH
