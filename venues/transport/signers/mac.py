"""HMAC signatures: a secret, a digest and how both are written, put together per venue.

The venues differ in four things only: whether the secret is text or base64, which digest, how the
digest is written, and what is signed. The first three are a `Mac`; the fourth is the venue's own
prehash. `HeaderAuth` and `QueryAuth` sign the request httpx is about to send, never a second
rendering of it, so the signed bytes are the sent bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Generator, Mapping
from enum import Enum
from urllib.parse import quote

import httpx

from venues.interface.errors import Cause, NotSent


class SecretIs(Enum):
    TEXT = "text"
    BASE64 = "base64"


class Written(Enum):
    HEX = "hex"
    BASE64 = "base64"


class Mac:
    """Signs with one secret. It shows in no repr."""

    def __init__(
        self, secret: str, *, secret_is: SecretIs, written: Written, digest: str = "sha256"
    ) -> None:
        self._key = _key(secret.strip(), secret_is)
        self._written = written
        self._digest = digest

    def __repr__(self) -> str:
        return f"Mac({self._digest}, {self._written.value})"

    def sign(self, message: bytes) -> str:
        raw = hmac.new(self._key, message, self._digest).digest()
        return raw.hex() if self._written is Written.HEX else base64.b64encode(raw).decode()


def _key(secret: str, secret_is: SecretIs) -> bytes:
    if secret_is is SecretIs.TEXT:
        key = secret.encode()
    else:
        try:
            key = base64.b64decode(secret, validate=True)
        except (binascii.Error, ValueError) as error:
            message = "the secret cannot be used: it is not base64"
            raise NotSent(message, cause=Cause.AUTH) from error
    if not key:
        message = "the secret cannot be used: it is empty"
        raise NotSent(message, cause=Cause.AUTH)
    return key


# What a venue signs of a request, given the text of its timestamp or nonce.
Prehash = Callable[[httpx.Request, str], bytes]
# The headers that carry the signature: from timestamp and signature.
Headers = Callable[[str, str], Mapping[str, str]]


def path_of(request: httpx.Request) -> bytes:
    """Return the path as it is sent, without the query."""
    return request.url.raw_path.split(b"?", 1)[0]


def target_of(request: httpx.Request) -> bytes:
    """Return path and query as they are sent."""
    return request.url.raw_path


def stamp_method_path_body(request: httpx.Request, stamp: str) -> bytes:
    """Leave the query unsigned: Coinbase Prime, and the old keys of Coinbase Advanced."""
    return stamp.encode() + request.method.encode() + path_of(request) + request.content


def stamp_method_target_body(request: httpx.Request, stamp: str) -> bytes:
    """Sign the query too: Coinbase Exchange, FalconX."""
    return stamp.encode() + request.method.encode() + target_of(request) + request.content


def path_and_digest(request: httpx.Request, nonce: str) -> bytes:
    """Sign the target and a digest of nonce and body, which holds the nonce again: Kraken."""
    return target_of(request) + hashlib.sha256(nonce.encode() + request.content).digest()


def nonce_of(request: httpx.Request) -> str:
    """Return the nonce that the send gate gave this request."""
    nonce = request.extensions.get("nonce")
    if nonce is None:
        message = "this request passed no send gate, so it has no nonce"
        raise NotSent(message, cause=Cause.INVALID)
    return str(nonce)


class HeaderAuth(httpx.Auth):
    """Puts a signature into headers; `stamp` reads the timestamp, or the nonce, of a request."""

    requires_request_body = True

    def __init__(
        self,
        mac: Mac,
        *,
        prehash: Prehash,
        stamp: Callable[[httpx.Request], str],
        headers: Headers,
    ) -> None:
        self._mac = mac
        self._prehash = prehash
        self._stamp = stamp
        self._headers = headers

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        stamp = self._stamp(request)
        signature = self._mac.sign(self._prehash(request, stamp))
        request.headers.update(self._headers(stamp, signature))
        yield request


class QueryAuth(httpx.Auth):
    """Appends the signature of query and body as the last parameter of the query: Binance.

    Nothing else is changed. Times belong to the parameters already, put there by `stamp` in front of
    the signature.
    """

    requires_request_body = True

    def __init__(
        self,
        sign: Callable[[bytes], str],
        *,
        headers: Mapping[str, str],
        stamp: Callable[[], Mapping[str, str]] | None = None,
        name: str = "signature",
    ) -> None:
        self._sign = sign
        self._headers = headers
        self._stamp = stamp
        self._name = name

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        query = request.url.query
        for name, value in (self._stamp() if self._stamp else {}).items():
            query += (b"&" if query else b"") + f"{name}={quote(value, safe='')}".encode()
        signature = quote(self._sign(query + request.content), safe="")
        query += (b"&" if query else b"") + f"{self._name}={signature}".encode()
        request.url = request.url.copy_with(query=query)
        request.headers.update(self._headers)
        yield request
