"""The vault: the only module that sees a stored secret in the clear.

Envelope encryption: every credential has a data key of its own, wrapped by the installation's keys
(`CREDENTIAL_KEYS`, newest first, so that old ones still open what they sealed).
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class CannotOpen(Exception):
    """The credential was sealed with a key that is not among CREDENTIAL_KEYS."""


@dataclass(frozen=True, slots=True)
class Sealed:
    wrapped_key: bytes
    secret: bytes


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


def _installation_keys() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.CREDENTIAL_KEYS])
