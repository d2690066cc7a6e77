from __future__ import annotations

import base64
import hashlib
import json

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
)

from venues.interface.errors import Cause, NotSent
from venues.transport.signer import CdpAuth, CdpSigner, load_private_key

KEY = (
    "organizations/00000000-0000-4000-8000-000000000001"
    "/apiKeys/00000000-0000-4000-8000-000000000002"
)
T = 1735689600
ED_SECRET = (
    "PoMFS0RA7RImjCOiRozmOtw2/w4MJkonimCFnjP87wcFQqJLDUGIpARTcJrbxxebTvPiwZIZiCt4Nxi4u2ucHA=="
)
ED_HEADER = (
    "eyJhbGciOiJFZERTQSIsImtpZCI6Im9yZ2FuaXphdGlvbnMvMDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAw"
    "MDAxL2FwaUtleXMvMDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAyIiwibm9uY2UiOiIwMTIzNDU2Nzg5"
    "YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmIiwidHlwIjoiSldUIn0"
)
P256_PUBLIC = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUih7fVq5DBjuwipR+mTcA5hEKLrc04pWWfrBK+8FzOysf/xudJSPHm0N"
    "KZvHJOXHhx76sx9pjBdSPurpisPWgQ=="
)
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ACCOUNTS = "/api/v3/brokerage/accounts"
ORDERS = "/api/v3/brokerage/orders"


def make(secret: str) -> CdpSigner:
    return CdpSigner(KEY, secret, clock=lambda: T + 0.9, nonce=lambda: "0123456789abcdef" * 4)


def p256() -> ec.EllipticCurvePrivateKey:
    digest = hashlib.sha256(b"dummy p256 test key - not a secret").digest()
    scalar = int.from_bytes(digest, "big") % (P256_ORDER - 1) + 1
    return ec.derive_private_key(scalar, ec.SECP256R1())


def pem(form: PrivateFormat = PrivateFormat.TraditionalOpenSSL) -> str:
    return p256().private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def unsegment(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.parametrize(
    ("method", "path", "signature"),
    [
        (
            "GET",
            ACCOUNTS,
            "VaZknchtQd2lIKvShv2k9S-0sXowgq66g0qYkGlgwf9tI5m_JGgEFNIiGSfooeQEjRO20K8Yz09EpHW96wKCDw",
        ),
        (
            "POST",
            ORDERS,
            "EGi2kJ6NCH3L1YdNRpIzijkpCSTdJl8R13eTimPvQrfeN1zFzHHQyA3YmTYO57HWbAo1fBW8ORsaJb9cfcBTCQ",
        ),
    ],
    ids=["A1", "A2"],
)
def test_an_ed25519_rest_token_is_byte_equal_to_the_vector(method, path, signature):
    header, payload, signed = (
        make(ED_SECRET).rest_token(method, "api.coinbase.com", path).split(".")
    )

    assert header == ED_HEADER
    assert unsegment(payload).decode() == (
        f'{{"sub":"{KEY}","iss":"cdp","nbf":{T},"exp":{T + 120},'
        f'"uri":"{method} api.coinbase.com{path}"}}'
    )
    assert signed == signature


def test_an_ed25519_socket_token_is_byte_equal_to_vector_a3():
    header, payload, signature = make(ED_SECRET).websocket_token().split(".")

    assert header == ED_HEADER
    assert unsegment(payload).decode() == (
        f'{{"sub":"{KEY}","iss":"cdp","nbf":{T},"exp":{T + 120}}}'
    )
    assert signature == (
        "UDD2x_wDGc1sIKU7pedBPEI74eZDg8WgPjAdzXG8RjVC89IhUO7RKihc8oDZ79EN0zrWrip_SZvTS-00c-e1DQ"
    )


@pytest.mark.parametrize(
    ("is_rest", "digest", "sample"),
    [
        (
            True,
            "b69756cc71ed7599f2656d38b4a649aa2f6ba07e7c68cd52c835c238799fcd7b",
            "WF4qrG-xVWD458IF6aqFhqZh4su5TxMqilAx5yIlSFSi5owtYNwp-qhyUVDz7M7yZxA6yvcmLBh6KsGUAxCC2w",
        ),
        (
            False,
            "6e94822488f3bec1e2664de7d9a20c8d5af7f78323da57702b0f7417ef33e3db",
            "A_rfIHxHc08ye1UGkBS_EhFBkx8MJJa2z3_pqXPkynPNmQVfw73cCaQKxgrN17MA-1hYGUKNglXfYCYJ2xLcYw",
        ),
    ],
    ids=["A4", "A5"],
)
def test_a_p256_token_signs_the_vectors_input(is_rest, digest, sample):
    signer = make(pem())
    token = (
        signer.rest_token("GET", "api.coinbase.com", ACCOUNTS)
        if is_rest
        else signer.websocket_token()
    )
    signed, _, signature = token.rpartition(".")
    public = load_der_public_key(base64.b64decode(P256_PUBLIC))
    assert isinstance(public, ec.EllipticCurvePublicKey)

    assert hashlib.sha256(signed.encode()).hexdigest() == digest
    for raw in (unsegment(signature), unsegment(sample)):
        assert len(raw) == 64
        der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        public.verify(der, signed.encode(), ec.ECDSA(hashes.SHA256()))
        with pytest.raises(InvalidSignature):
            public.verify(der, b"something else", ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize(
    ("secret", "algorithm"),
    [
        (ED_SECRET, "EdDSA"),
        (f"  {ED_SECRET[:40]}\n{ED_SECRET[40:]}\n", "EdDSA"),
        (base64.b64encode(base64.b64decode(ED_SECRET)[:32]).decode(), "EdDSA"),
        (pem(), "ES256"),
        (pem(PrivateFormat.PKCS8), "ES256"),
        (pem().replace("\n", "\\n"), "ES256"),
    ],
    ids=["pair", "broken lines", "seed", "sec1", "pkcs8", "escaped newlines"],
)
def test_the_algorithm_is_read_off_the_key(secret, algorithm):
    assert make(secret).algorithm == algorithm


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "not a key",
        base64.b64encode(b"x" * 31).decode(),
        base64.b64encode(base64.b64decode(ED_SECRET)[:32] + b"x" * 32).decode(),
        "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",
        ec.generate_private_key(ec.SECP384R1())
        .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        .decode(),
    ],
)
def test_a_damaged_key_is_refused_without_being_shown(secret):
    with pytest.raises(NotSent) as refused:
        load_private_key(secret)

    assert refused.value.cause is Cause.AUTH
    assert not secret or secret not in str(refused.value)


def test_a_request_is_signed_for_its_method_host_and_path_without_the_query():
    request = httpx.Request("GET", "http://127.0.0.1:8600/venue/accounts?limit=49")

    signed = next(CdpAuth(make(ED_SECRET)).auth_flow(request))

    scheme, _, token = signed.headers["authorization"].partition(" ")
    assert scheme == "Bearer"
    assert json.loads(unsegment(token.split(".")[1]))["uri"] == "GET 127.0.0.1:8600/venue/accounts"


def test_a_signer_shows_no_secret():
    assert ED_SECRET[:20] not in repr(make(ED_SECRET))
