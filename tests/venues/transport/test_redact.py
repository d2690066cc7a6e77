from __future__ import annotations

import base64

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
    ],
)
def test_a_secret_leaves_no_trace_in_text(text, secret):
    assert secret not in redact_text(text)
    assert HIDDEN in redact_text(text)


def test_ordinary_words_stay():
    text = "order 23bd960d-7405-4a32-a436-4a94b23ffa2e BTC-USD buy 0.001 at 10000.00"

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
