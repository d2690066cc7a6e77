"""This venue's signature: HMAC-SHA256 over time, method, target and body, with a passphrase beside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from venues.adapters.contract import ApiKey
from venues.transport.signers.access import AccessAuth
from venues.transport.signers.mac import Mac, SecretIs, Written, stamp_method_target_body

SOCKET_TARGET: Final = "/users/self/verify"


class ExchangeAuth(AccessAuth):
    """Signs requests, their query too, and the messages that subscribe to own orders."""

    def __init__(self, key: ApiKey, clock: Callable[[], float]) -> None:
        super().__init__(
            key.key_id,
            Mac(key.secret, secret_is=SecretIs.BASE64, written=Written.BASE64),
            prehash=stamp_method_target_body,
            clock=clock,
            passphrase=key.more.get("passphrase", ""),
        )

    def subscription(self) -> dict[str, str]:
        """Sign a subscribe message."""
        timestamp, signature = self.sign_words(f"GET{SOCKET_TARGET}")
        return {
            "signature": signature,
            "key": self.key_id,
            "passphrase": self.passphrase,
            "timestamp": timestamp,
        }
