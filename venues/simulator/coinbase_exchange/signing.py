"""Who made a call: key, passphrase, time window and HMAC, over REST and in a subscribe message."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Iterable
from typing import Final

from venues.simulator.keys import KeyEntry, KeyRing
from venues.simulator.replay import is_within
from venues.simulator.web import Request

WINDOW_SECONDS: Final = 30
SOCKET_PREHASH: Final = "GET/users/self/verify"


class Unsigned(Exception):
    """The call proves nothing; the text is what the venue answers."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Doorkeeper:
    """Checks what this venue's keys sign."""

    def __init__(self, keys: KeyRing, clock: Callable[[], float]) -> None:
        self._keys = keys
        self._clock = clock

    def request(self, request: Request) -> KeyEntry:
        """Check a call; its path may be signed with or without the prefix the simulator adds."""
        head = request.headers
        targets = (request.prefix + request.target, request.target)
        return self._check(
            key_id=head.get("cb-access-key", ""),
            passphrase=head.get("cb-access-passphrase", ""),
            signature=head.get("cb-access-sign", ""),
            timestamp=head.get("cb-access-timestamp", ""),
            said=[request.method.encode() + t.encode() + request.body for t in targets],
        )

    def subscription(
        self, *, key_id: str, passphrase: str, signature: str, timestamp: str
    ) -> KeyEntry:
        return self._check(
            key_id=key_id,
            passphrase=passphrase,
            signature=signature,
            timestamp=timestamp,
            said=[SOCKET_PREHASH.encode()],
        )

    def _check(
        self,
        *,
        key_id: str,
        passphrase: str,
        signature: str,
        timestamp: str,
        said: Iterable[bytes],
    ) -> KeyEntry:
        entry = self._keys.find(key_id)
        if entry is None:
            raise Unsigned(401, "Invalid API Key")
        if not hmac.compare_digest(entry.passphrase.encode(), passphrase.encode()):
            raise Unsigned(401, "Invalid Passphrase")
        try:
            sent = float(timestamp)
            secret = base64.b64decode(entry.secret, validate=True)
        except (ValueError, binascii.Error) as error:
            raise Unsigned(400, "invalid timestamp") from error
        if not is_within(sent, self._clock(), late=WINDOW_SECONDS):
            raise Unsigned(400, "request timestamp expired")
        made = (_sign(secret, timestamp.encode() + one) for one in said)
        if not any(hmac.compare_digest(one, signature.encode()) for one in made):
            raise Unsigned(401, "invalid signature")
        return entry


def _sign(secret: bytes, message: bytes) -> bytes:
    return base64.b64encode(hmac.digest(secret, message, hashlib.sha256))
