"""What a key of this venue signs with: tokens, or for keys of the older kind HMAC without a passphrase.

Which of the two is said when the key is added, and never guessed: their secrets can look alike. A
token covers method, host and path; an HMAC the time, method, path and body; neither covers the query.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from venues.adapters.contract import ApiKey
from venues.transport.signer import CdpAuth, CdpSigner
from venues.transport.signers.access import AccessAuth
from venues.transport.signers.mac import Mac, SecretIs, Written, stamp_method_path_body

SCHEME: Final = "scheme"
TOKENS, HMAC = "cdp", "hmac"


class MacAuth(AccessAuth):
    """A key of the older kind, which signs a subscription by its channel and products."""

    def subscription(self, channel: str, products: Sequence[str]) -> dict[str, str]:
        timestamp, signature = self.sign_words(channel + ",".join(products))
        return {"api_key": self.key_id, "timestamp": timestamp, "signature": signature}


def signer_of(
    key: ApiKey, *, clock: Callable[[], float], nonce: Callable[[], str]
) -> CdpAuth | MacAuth:
    if key.more.get(SCHEME) != HMAC:
        return CdpAuth(CdpSigner(key.key_id, key.secret, clock=clock, nonce=nonce))
    mac = Mac(key.secret, secret_is=SecretIs.TEXT, written=Written.HEX)
    return MacAuth(key.key_id, mac, prehash=stamp_method_path_body, clock=clock)
