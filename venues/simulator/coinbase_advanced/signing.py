"""Who made a call: a token, or for keys of the older kind an HMAC in `CB-ACCESS-*` headers."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from venues.simulator.keys import BadToken, KeyEntry, KeyRing, named_in
from venues.simulator.replay import is_within
from venues.simulator.web import Request

REAL_HOST: Final = "api.coinbase.com"
# No document says how far a clock may be off for these keys; its sister venue allows this much.
WINDOW_SECONDS: Final = 30


class Doorkeeper:
    """Checks what this venue's keys sign, of either kind."""

    def __init__(self, keys: KeyRing, clock: Callable[[], float]) -> None:
        self._keys = keys
        self._clock = clock

    def request(self, request: Request) -> KeyEntry:
        """Check a call; its path may be signed with or without the prefix the simulator adds."""
        head = request.headers
        paths = {request.prefix + request.path, request.path}
        if "cb-access-key" in head:
            return self._macs(
                key_id=head["cb-access-key"],
                signature=head.get("cb-access-sign", ""),
                timestamp=head.get("cb-access-timestamp", ""),
                said=[request.method.encode() + path.encode() + request.body for path in paths],
            )
        scheme, _, token = head.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            message = "no token"
            raise BadToken(message)
        hosts = {head.get("host", ""), REAL_HOST}
        uris = frozenset(f"{request.method} {host}{path}" for host in hosts for path in paths)
        return self._keys.verify(token, uris=uris)

    def subscription(
        self,
        *,
        jwt: str,
        api_key: str,
        timestamp: str,
        signature: str,
        channel: str,
        product_ids: Sequence[str],
    ) -> KeyEntry:
        if not api_key:
            return self._keys.verify(jwt, uris=None)
        said = [(channel + ",".join(product_ids)).encode()]
        return self._macs(key_id=api_key, signature=signature, timestamp=timestamp, said=said)

    def _macs(
        self, *, key_id: str, signature: str, timestamp: str, said: Iterable[bytes]
    ) -> KeyEntry:
        entry = self._keys.find(key_id)
        if entry is None or not entry.secret:
            message = "unknown key"
            raise BadToken(message)
        if not timestamp.isdecimal() or not is_within(
            float(timestamp), self._clock(), late=WINDOW_SECONDS
        ):
            message = "outside its time"
            raise BadToken(message)
        secret = entry.secret.encode()
        made = (hmac.new(secret, timestamp.encode() + one, hashlib.sha256) for one in said)
        if not any(
            hmac.compare_digest(one.hexdigest().encode(), signature.encode()) for one in made
        ):
            message = "bad signature"
            raise BadToken(message)
        return entry


def key_named_in(request: Request) -> str:
    """Return the key id a call names, proven or not."""
    _, _, token = request.headers.get("authorization", "").partition(" ")
    return request.headers.get("cb-access-key", "") or (named_in(token) if token else "")
