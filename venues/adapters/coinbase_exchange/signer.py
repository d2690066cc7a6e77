"""This venue's signature: HMAC-SHA256 over time, method, target and body, with a passphrase beside."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Generator
from typing import Final

import httpx

from venues.adapters.contract import ApiKey
from venues.interface.errors import Cause, NotSent

SOCKET_TARGET: Final = "/users/self/verify"


class ExchangeAuth(httpx.Auth):
    """The signing step between "request built" and "request sent"; the query is signed too."""

    requires_request_body = True

    def __init__(self, key: ApiKey, clock: Callable[[], float]) -> None:
        self._key = key
        self._clock = clock
        try:
            self._secret = base64.b64decode(key.secret.strip(), validate=True)
        except (binascii.Error, ValueError) as error:
            message = "the secret cannot be used: it is not base64"
            raise NotSent(message, cause=Cause.AUTH) from error

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        timestamp = self._timestamp()
        target = request.url.raw_path
        request.headers["CB-ACCESS-KEY"] = self._key.key_id
        request.headers["CB-ACCESS-TIMESTAMP"] = timestamp
        request.headers["CB-ACCESS-PASSPHRASE"] = self._key.more.get("passphrase", "")
        request.headers["CB-ACCESS-SIGN"] = self._sign(
            timestamp.encode() + request.method.encode() + target + request.content
        )
        yield request

    def subscription(self) -> dict[str, str]:
        """Sign a subscribe message."""
        timestamp = self._timestamp()
        return {
            "signature": self._sign(f"{timestamp}GET{SOCKET_TARGET}".encode()),
            "key": self._key.key_id,
            "passphrase": self._key.more.get("passphrase", ""),
            "timestamp": timestamp,
        }

    def _timestamp(self) -> str:
        return str(int(self._clock()))

    def _sign(self, message: bytes) -> str:
        return base64.b64encode(hmac.digest(self._secret, message, hashlib.sha256)).decode()
