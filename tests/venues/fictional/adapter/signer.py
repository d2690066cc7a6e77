"""Harbour's signature: HMAC-SHA256 in hex over milliseconds, method, target and body."""

from __future__ import annotations

from collections.abc import Callable

from venues.adapters.contract import ApiKey
from venues.transport.signers.mac import (
    HeaderAuth,
    Mac,
    SecretIs,
    Written,
    stamp_method_target_body,
)


class HarbourAuth(HeaderAuth):
    """Signs requests, and the message that follows own orders."""

    def __init__(self, key: ApiKey, clock: Callable[[], float]) -> None:
        self._key_id = key.key_id
        self._clock = clock
        super().__init__(
            Mac(key.secret, secret_is=SecretIs.TEXT, written=Written.HEX),
            prehash=stamp_method_target_body,
            stamp=lambda _request: self._stamp_now(),
            headers=lambda stamp, signature: {
                "X-Harbour-Key": self._key_id,
                "X-Harbour-Time": stamp,
                "X-Harbour-Sign": signature,
            },
        )

    def following(self, topic: str) -> dict[str, str]:
        stamp = self._stamp_now()
        sign = self._mac.sign(f"{stamp}follow{topic}".encode())
        return {"key": self._key_id, "time": stamp, "sign": sign}

    def _stamp_now(self) -> str:
        return str(int(self._clock() * 1000))
