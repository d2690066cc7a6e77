"""Signatures with a private key over the bytes sent: Ed25519 text, and ECDSA P-256 for custody.

A custody service checks the body as well as the bearer token, so that a stolen token moves nothing.
ECDSA is randomised on purpose of the library; two signatures of one message differ and both hold.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Generator

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from venues.interface.errors import Cause, NotSent
from venues.transport.signer import load_private_key
from venues.transport.signers.mac import path_of


class Ed25519Signer:
    """Signs as plain base64 of 64 bytes, as Binance wants it."""

    def __init__(self, secret: str) -> None:
        key = load_private_key(secret)
        if not isinstance(key, Ed25519PrivateKey):
            message = "the private key cannot be used: it is not Ed25519"
            raise NotSent(message, cause=Cause.AUTH)
        self._key = key

    def sign(self, message: bytes) -> str:
        return base64.b64encode(self._key.sign(message)).decode()


class P256Signer:
    """Signs as base64 of the DER form."""

    def __init__(self, secret: str) -> None:
        key = load_private_key(secret)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            message = "the private key cannot be used: it is not P-256"
            raise NotSent(message, cause=Cause.AUTH)
        self._key = key

    def sign(self, message: bytes) -> str:
        return base64.b64encode(self._key.sign(message, ec.ECDSA(hashes.SHA256()))).decode()


class BearerAuth(httpx.Auth):
    """A token that stays the same."""

    def __init__(self, token: str) -> None:
        self._token = token.strip()

    def __repr__(self) -> str:
        return "BearerAuth()"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class CustodyAuth(httpx.Auth):
    """A bearer token, and on the paths that move something a signature of path, time and body."""

    requires_request_body = True

    def __init__(
        self,
        token: str,
        *,
        signer: P256Signer | None,
        stamp: Callable[[], str],
        is_signed: Callable[[httpx.Request], bool],
    ) -> None:
        self._token = token.strip()
        self._signer = signer
        self._stamp = stamp
        self._is_signed = is_signed

    def __repr__(self) -> str:
        return "CustodyAuth()"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        if self._is_signed(request):
            if self._signer is None:
                message = "this call must be signed and the key has no signing half"
                raise NotSent(message, cause=Cause.AUTH)
            stamp = self._stamp()
            message_bytes = b"|".join((path_of(request), stamp.encode(), request.content))
            request.headers["x-timestamp"] = stamp
            request.headers["x-signature"] = self._signer.sign(message_bytes)
        yield request
