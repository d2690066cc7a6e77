from __future__ import annotations

import base64
import time

import pytest

from venues.transport.redact import HIDDEN, redact, redact_text

CANARY = base64.b64encode(b"k" * 64).decode()
TOKEN = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIcanary\n-----END EC PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"Authorization: Bearer {TOKEN}", TOKEN),
        (f'{{"type":"subscribe","jwt":"{TOKEN}"}}', TOKEN),
        (f"key is {PEM} end", "MHcCAQEEIcanary"),
        ("-----BEGIN PRIVATE KEY-----\ncut off", "cut off"),
        (f"loaded {CANARY} from disk", CANARY),
        ('{"privateKey": "abc\\"def", "name": "n"}', 'abc\\"def'),
        ("api_secret=hunter2&x=1", "hunter2"),
        ("CB-ACCESS-SIGN: 0011aabb", "0011aabb"),
        ("X-CB-ACCESS-SIGNATURE: abc+/=", "abc+/="),
        ("X-CB-ACCESS-PASSPHRASE: hunter2", "hunter2"),
        ("FX-ACCESS-SIGN: abc+/=", "abc+/="),
        ("FX-ACCESS-KEY: fx-dummy-key", "fx-dummy-key"),
        ("API-Sign: NYnfeIWF/x==", "NYnfeIWF"),
        ("API-Key: dummyKraken", "dummyKraken"),
        ("X-MBX-APIKEY: dummyBinance", "dummyBinance"),
        ("x-signature: MEQCIFYz", "MEQCIFYz"),
        ("/api/v3/order?symbol=BTCUSDT&signature=1a2cba35caff", "1a2cba35caff"),
        ('{"params":{"apiKey":"dummy","signature":"2bac33"}}', "2bac33"),
        ('{"signature":{"r":"0x53749d","s":"0x4cf184","v":28}}', "0x4cf184"),
        ('{"listenKey":"pqia91ma19a5s61cv6a81va65sd"}', "pqia91ma19a5"),
        ('{"params":{"channel":"executions","token":"WW91ciBhdXRoZW50aWNhdGlvbg"}}', "WW91ciBh"),
        ("/stream?auth=1700000000:5:0:9f86d081884c7d65", "9f86d081884c"),
        ("nonce=1&otp=483920&x=2", "483920"),
        ('{"action":"auth","passphrase":"dummy-passphrase"}', "dummy-passphrase"),
    ],
)
def test_a_secret_leaves_no_trace_in_text(text, secret):
    assert secret not in redact_text(text)
    assert HIDDEN in redact_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "order 23bd960d-7405-4a32-a436-4a94b23ffa2e BTC-USD buy 0.001 at 10000.00",
        '{"quantity":{"token":"BTC","value":"0.5"},"token_pair":{"base_token":"BTC"}}',
        '{"token":"0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"}',
        '{"time":1700000000,"author":"desk","footprint":"12"}',
    ],
)
def test_what_an_order_is_about_stays(text):
    assert redact_text(text) == text


def test_named_secrets_are_hidden_at_any_depth():
    value = {
        "headers": {"Authorization": "Bearer x", "accept": "json"},
        "keys": [{"secret": "s3cret", "key_id": "organizations/1"}],
        "body": f'{{"jwt":"{TOKEN}"}}'.encode(),
        "count": 3,
    }

    assert redact(value) == {
        "headers": {"Authorization": HIDDEN, "accept": "json"},
        "keys": [{"secret": HIDDEN, "key_id": "organizations/1"}],
        "body": f'{{"jwt":{HIDDEN}}}',
        "count": 3,
    }


def test_the_password_of_an_address_and_a_token_of_ours_are_hidden():
    text = redact_text("to postgres://desk:hunter2@db:5432/desk with cqops_" + "a1B2-" * 8)

    assert "hunter2" not in text
    assert "a1B2" not in text
    assert "postgres://desk:[redacted]@db:5432/desk" in text


def test_a_long_text_costs_its_length_and_not_its_square():
    # A frame with a thousand orders is redacted beside an event loop that has other things to do.
    text = "a-" * 30_000 + 'secret="hunter2-canary-0001"'
    began = time.perf_counter()

    assert redact_text(text).endswith(f"secret={HIDDEN}")

    assert time.perf_counter() - began < 1
