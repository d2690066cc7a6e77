"""Seals what people's second factors are made of, with the installation's keys, newest first."""

from __future__ import annotations

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


def seal(secret: bytes) -> bytes:
    return _keys().encrypt(secret)


def unseal(sealed: bytes | memoryview) -> bytes:
    return _keys().decrypt(bytes(sealed))


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.CREDENTIAL_KEYS])
