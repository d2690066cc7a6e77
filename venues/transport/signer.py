"""Bearer tokens of the Coinbase developer platform: one short-lived JWT for every request.

The algorithm is read off the key and never configured, because choosing it by hand is the top
cause of refused keys: PEM text is P-256 (`ES256`), base64 of 32 or 64 bytes is Ed25519 (`EdDSA`).
The token covers method, host and path; the body and the query string are not covered, so only TLS
protects those. Clock and nonce are passed in; nothing here reads either.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Generator, Sequence
from typing import Final

import httpx
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from venues.interface.errors import Cause, NotSent

PrivateKey = Ed25519PrivateKey | ec.EllipticCurvePrivateKey

TOKEN_LIFE_SECONDS: Final = 120
_ED25519_SEED_BYTES: Final = 32
_ED25519_PAIR_BYTES: Final = 64
_P256_SCALAR_BYTES: Final = 32


def _bad_key(why: str) -> NotSent:
    return NotSent(f"the private key cannot be used: {why}", cause=Cause.AUTH)


def load_private_key(secret: str) -> PrivateKey:
    """Read a portal's private key in any form it is handed out; say what is wrong, never the key."""
    text = secret.strip().replace("\\n", "\n")
    if "-----BEGIN" in text:
        return _load_pem(text)
    try:
        raw = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        message = "it is neither PEM nor base64"
        raise _bad_key(message) from error
    if len(raw) not in {_ED25519_SEED_BYTES, _ED25519_PAIR_BYTES}:
        message = "an Ed25519 key has 32 or 64 bytes"
        raise _bad_key(message)
    key = Ed25519PrivateKey.from_private_bytes(raw[:_ED25519_SEED_BYTES])
    if len(raw) == _ED25519_PAIR_BYTES and raw[_ED25519_SEED_BYTES:] != (
        key.public_key().public_bytes_raw()
    ):
        message = "its two halves do not belong together"
        raise _bad_key(message)
    return key


def _load_pem(text: str) -> PrivateKey:
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        message = "the PEM text is damaged or of an unknown kind"
        raise _bad_key(message) from error
    if isinstance(key, Ed25519PrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    message = "it is neither P-256 nor Ed25519"
    raise _bad_key(message)


def _segment(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _json_segment(value: dict[str, str | int]) -> str:
    return _segment(json.dumps(value, separators=(",", ":")).encode())


class CdpSigner:
    """Makes the tokens of one key."""

    def __init__(
        self, key_id: str, secret: str, *, clock: Callable[[], float], nonce: Callable[[], str]
    ) -> None:
        self._key_id = key_id.strip()
        self._key = load_private_key(secret)
        self._clock = clock
        self._nonce = nonce

    def __repr__(self) -> str:
        return f"CdpSigner(key_id={self._key_id!r})"

    @property
    def algorithm(self) -> str:
        return "EdDSA" if isinstance(self._key, Ed25519PrivateKey) else "ES256"

    def rest_token(self, method: str, host: str, path: str) -> str:
        """Sign one request: `path` without its query, `host` with its port if it has one."""
        return self._token(uri=f"{method} {host}{path}")

    def websocket_token(self) -> str:
        """Sign one subscribe message, which names no URI."""
        return self._token(uri=None)

    def _token(self, uri: str | None) -> str:
        since = int(self._clock())
        header: dict[str, str | int] = {
            "alg": self.algorithm,
            "kid": self._key_id,
            "nonce": self._nonce(),
            "typ": "JWT",
        }
        payload: dict[str, str | int] = {
            "sub": self._key_id,
            "iss": "cdp",
            "nbf": since,
            "exp": since + TOKEN_LIFE_SECONDS,
        }
        if uri is not None:
            payload["uri"] = uri
        signed = f"{_json_segment(header)}.{_json_segment(payload)}"
        return f"{signed}.{_segment(self._sign(signed.encode()))}"

    def _sign(self, message: bytes) -> bytes:
        if isinstance(self._key, Ed25519PrivateKey):
            return self._key.sign(message)
        r, s = decode_dss_signature(self._key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(_P256_SCALAR_BYTES, "big") + s.to_bytes(_P256_SCALAR_BYTES, "big")


class CdpAuth(httpx.Auth):
    """The signing step between "request built" and "request sent"."""

    def __init__(self, signer: CdpSigner) -> None:
        self._signer = signer

    def subscription(self, _channel: str, _products: Sequence[str]) -> dict[str, str]:
        """Sign one message that subscribes; what it asks for is not covered."""
        return {"jwt": self._signer.websocket_token()}

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        path = request.url.raw_path.split(b"?", 1)[0].decode("ascii")
        token = self._signer.rest_token(request.method, request.headers["host"], path)
        request.headers["Authorization"] = f"Bearer {token}"
        yield request
