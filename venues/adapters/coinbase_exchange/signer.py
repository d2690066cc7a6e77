"""This venue's signature: HMAC-SHA256 over time, method, target and body, with a passphrase beside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from venues.adapters.contract import ApiKey
from venues.transport.signers.mac import (
    HeaderAuth,
    Mac,
    SecretIs,
    Written,
    stamp_method_target_body,
)

SOCKET_TARGET: Final = "/users/self/verify"


class ExchangeAuth(HeaderAuth):
    """Signs requests, their query too, and the messages that subscribe to own orders."""

    def __init__(self, key: ApiKey, clock: Callable[[], float]) -> None:
        self._key = key
        self._clock = clock
        super().__init__(
            Mac(key.secret, secret_is=SecretIs.BASE64, written=Written.BASE64),
            prehash=stamp_method_target_body,
            stamp=lambda _request: self._timestamp(),
            headers=self._signed_headers,
        )

    def subscription(self) -> dict[str, str]:
        """Sign a subscribe message."""
        timestamp = self._timestamp()
        return {
            "signature": self._mac.sign(f"{timestamp}GET{SOCKET_TARGET}".encode()),
            "key": self._key.key_id,
            "passphrase": self._key.more.get("passphrase", ""),
            "timestamp": timestamp,
        }

    def _signed_headers(self, timestamp: str, signature: str) -> dict[str, str]:
        return {
            "CB-ACCESS-KEY": self._key.key_id,
            "CB-ACCESS-TIMESTAMP": timestamp,
            "CB-ACCESS-PASSPHRASE": self._key.more.get("passphrase", ""),
            "CB-ACCESS-SIGN": signature,
        }

    def _timestamp(self) -> str:
        return str(int(self._clock()))
