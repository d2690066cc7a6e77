"""`CB-ACCESS-*` headers: what several of Coinbase's interfaces sign with a shared secret.

They differ in how the secret and the signature are written, in whether the query is signed, and in
whether the key has a passphrase.
"""

from __future__ import annotations

from collections.abc import Callable

from venues.transport.signers.mac import HeaderAuth, Mac, Prehash


class AccessAuth(HeaderAuth):
    """Signs requests, and gives the time and signature of what is said on a socket."""

    def __init__(
        self,
        key_id: str,
        mac: Mac,
        *,
        prehash: Prehash,
        clock: Callable[[], float],
        passphrase: str = "",
    ) -> None:
        self.key_id = key_id.strip()
        self.passphrase = passphrase
        self._clock = clock
        super().__init__(
            mac,
            prehash=prehash,
            stamp=lambda _request: self._timestamp(),
            headers=self._signed_headers,
        )

    def sign_words(self, words: str) -> tuple[str, str]:
        """Return the time and the signature of that time with some words behind it."""
        timestamp = self._timestamp()
        return timestamp, self._mac.sign(f"{timestamp}{words}".encode())

    def _signed_headers(self, timestamp: str, signature: str) -> dict[str, str]:
        headers = {
            "CB-ACCESS-KEY": self.key_id,
            "CB-ACCESS-TIMESTAMP": timestamp,
            "CB-ACCESS-SIGN": signature,
        }
        return headers | ({"CB-ACCESS-PASSPHRASE": self.passphrase} if self.passphrase else {})

    def _timestamp(self) -> str:
        return str(int(self._clock()))
