"""The vault: the only module that sees a stored secret in the clear.

Envelope encryption: every credential has a data key of its own, wrapped by the installation's keys
(`CREDENTIAL_KEYS`, newest first, so that old ones still open what they sealed).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

# Before the parts of a secret that has several. A secret of one part is sealed as it is.
PARTS = "parts:"


class CannotOpen(Exception):
    """The credential was sealed with a key that is not among CREDENTIAL_KEYS."""


@dataclass(frozen=True, slots=True)
class Sealed:
    wrapped_key: bytes
    secret: bytes


@dataclass(frozen=True, slots=True)
class Parts:
    """What a venue's key consists of beside its id; none of it shows in a repr."""

    secret: str = field(repr=False)
    more: Mapping[str, str] = field(default_factory=dict, repr=False)


def join(parts: Parts) -> str:
    """Make one text of all parts, to be sealed together."""
    if not parts.more and not parts.secret.startswith(PARTS):
        return parts.secret
    return PARTS + json.dumps({**parts.more, "secret": parts.secret})


def split(text: str) -> Parts:
    if not text.startswith(PARTS):
        return Parts(text)
    more = json.loads(text.removeprefix(PARTS))
    return Parts(more.pop("secret"), more)


def seal(secret: str) -> Sealed:
    data_key = Fernet.generate_key()
    return Sealed(
        wrapped_key=_installation_keys().encrypt(data_key),
        secret=Fernet(data_key).encrypt(secret.encode()),
    )


def unseal(sealed: Sealed) -> str:
    try:
        data_key = _installation_keys().decrypt(sealed.wrapped_key)
        return Fernet(data_key).decrypt(sealed.secret).decode()
    except InvalidToken as error:
        message = "This credential cannot be opened with the present CREDENTIAL_KEYS."
        raise CannotOpen(message) from error


def rewrap(sealed: Sealed) -> Sealed:
    """Wrap the data key anew under the newest of the installation's keys; the secret stays as it is."""
    try:
        wrapped = _installation_keys().rotate(sealed.wrapped_key)
    except InvalidToken as error:
        message = "This credential cannot be opened with the present CREDENTIAL_KEYS."
        raise CannotOpen(message) from error
    return Sealed(wrapped_key=wrapped, secret=sealed.secret)


def _installation_keys() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.CREDENTIAL_KEYS])
