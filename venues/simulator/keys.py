"""The keys the simulator knows, and whether a token was really made by one of them.

Keys live in `keys.json` of the data folder, so that whoever sets up a demo can add one while the
simulator runs: the file is read again when an unknown key id arrives.
"""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from venues.simulator.replay import OnceOnly

log = logging.getLogger(__name__)

FILE_NAME: Final = "keys.json"
LONGEST_LIFE: Final = 120
SKEW_SECONDS: Final = 5
_P256_HALF: Final = 32

PublicKey = Ed25519PublicKey | ec.EllipticCurvePublicKey


class KeyEntry(msgspec.Struct, kw_only=True, frozen=True):
    """One known key and whose account it opens.

    A key that signs tokens is known by its public half: PEM text, or base64 of an Ed25519 key. One
    that signs with a shared secret is known by that secret, and by a passphrase where there is one.
    """

    key_id: str
    account_ref: str
    public_key: str = ""
    public_key_pem: str = ""
    secret: str = ""
    passphrase: str = ""
    balances: dict[str, Decimal] = {}
    venue: str = "coinbase_advanced"
    can_trade: bool = True
    can_transfer: bool = False


class _Header(msgspec.Struct):
    alg: str
    kid: str
    nonce: str = ""


class _Claims(msgspec.Struct):
    sub: str
    nbf: int
    exp: int
    uri: str | None = None
    uris: list[str] | None = None


class BadToken(Exception):
    """The token proves nothing."""


class KeyRing:
    """The known keys of one venue; with `once`, a token's nonce is good for one call."""

    def __init__(
        self,
        folder: Path,
        venue: str,
        clock: Callable[[], float],
        *,
        once: OnceOnly | None = None,
    ) -> None:
        self._path = folder / FILE_NAME
        self._venue = venue
        self._clock = clock
        self._once = once
        self._known: dict[str, tuple[KeyEntry, PublicKey | None]] = {}
        self._read_at: tuple[int, int] = (0, 0)

    def entries(self) -> list[KeyEntry]:
        self._read_again()
        return [entry for entry, _ in self._known.values()]

    def find(self, key_id: str) -> KeyEntry | None:
        """Return the key of an id; whoever asks checks what it signed."""
        if key_id not in self._known:
            self._read_again()
        known = self._known.get(key_id)
        return known[0] if known else None

    def verify(self, token: str, *, uris: frozenset[str] | None) -> KeyEntry:
        """Return whose token this is, or raise `BadToken`; `uris` None is a socket's token."""
        header, claims, signed, signature = _take_apart(token)
        entry = self.find(header.kid)
        key = self._known[header.kid][1] if entry else None
        if entry is None or key is None:
            message = "unknown key"
            raise BadToken(message)
        _check_signature(key, header.alg, signed, signature)
        now = self._clock()
        if claims.sub != header.kid:
            message = "sub is not kid"
            raise BadToken(message)
        if not (claims.nbf <= now + SKEW_SECONDS and now < claims.exp + SKEW_SECONDS):
            message = "outside its time"
            raise BadToken(message)
        if claims.exp - claims.nbf > LONGEST_LIFE:
            message = "lives too long"
            raise BadToken(message)
        named = {*([claims.uri] if claims.uri else []), *(claims.uris or [])}
        if uris is not None and not named & uris:
            message = "made for another call"
            raise BadToken(message)
        if self._once is not None and not self._once.accepts(
            header.kid, header.nonce, now=now, keep=LONGEST_LIFE + 2 * SKEW_SECONDS
        ):
            message = "used before"
            raise BadToken(message)
        return entry

    def _read_again(self) -> None:
        try:
            stat = self._path.stat()
            if (stat.st_mtime_ns, stat.st_size) == self._read_at:
                return
            entries = msgspec.json.decode(self._path.read_bytes(), type=list[KeyEntry])
            known = {
                entry.key_id: (entry, _public_half(entry))
                for entry in entries
                if entry.venue == self._venue
            }
        except (OSError, ValueError) as error:
            # Whoever set the file up reads this; the keys known so far go on working.
            log.warning("%s cannot be read: %s", self._path.name, error)
            return
        self._read_at = (stat.st_mtime_ns, stat.st_size)
        self._known = known


def named_in(token: str) -> str:
    """Return the key id a token names, proven or not; nothing when it cannot be read."""
    try:
        return _take_apart(token)[0].kid
    except BadToken:
        return ""


def _public_half(entry: KeyEntry) -> PublicKey | None:
    text = entry.public_key_pem or entry.public_key
    return load_public_key(text) if text else None


def load_public_key(text: str) -> PublicKey:
    if "-----BEGIN" not in text:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text))
    key = load_pem_public_key(text.encode())
    if isinstance(key, Ed25519PublicKey | ec.EllipticCurvePublicKey):
        return key
    message = "neither Ed25519 nor P-256"
    raise ValueError(message)


def _take_apart(token: str) -> tuple[_Header, _Claims, bytes, bytes]:
    try:
        head, body, signature = token.split(".")
        return (
            msgspec.json.decode(_unsegment(head), type=_Header),
            msgspec.json.decode(_unsegment(body), type=_Claims),
            f"{head}.{body}".encode(),
            _unsegment(signature),
        )
    except (ValueError, binascii.Error) as error:
        message = "not a token"
        raise BadToken(message) from error


def _unsegment(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _check_signature(key: PublicKey, algorithm: str, signed: bytes, signature: bytes) -> None:
    try:
        if isinstance(key, Ed25519PublicKey):
            if algorithm != "EdDSA":
                message = "wrong algorithm"
                raise BadToken(message)
            key.verify(signature, signed)
            return
        if algorithm != "ES256" or len(signature) != 2 * _P256_HALF:
            message = "wrong algorithm"
            raise BadToken(message)
        r = int.from_bytes(signature[:_P256_HALF], "big")
        s = int.from_bytes(signature[_P256_HALF:], "big")
        key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        message = "bad signature"
        raise BadToken(message) from error
