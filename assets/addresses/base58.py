"""Base58 as Bitcoin writes it, and base58check, which carries a checksum of four bytes."""

from __future__ import annotations

import hashlib

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
DIGITS = {letter: digit for digit, letter in enumerate(ALPHABET)}
CHECKSUM = 4


class NotBase58(ValueError):
    """It is not written in base58, or its checksum is not that of the rest."""


def decode(text: str) -> bytes:
    number = 0
    for letter in text:
        if letter not in DIGITS:
            message = f"{letter!r} is no letter of base58"
            raise NotBase58(message)
        number = number * 58 + DIGITS[letter]
    zeros = len(text) - len(text.lstrip(ALPHABET[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def encode(data: bytes) -> str:
    number, letters = int.from_bytes(data, "big"), []
    while number:
        number, digit = divmod(number, 58)
        letters.append(ALPHABET[digit])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return ALPHABET[0] * zeros + "".join(reversed(letters))


def decode_checked(text: str) -> bytes:
    """Return the content of base58check without its checksum."""
    data = decode(text)
    content, checksum = data[:-CHECKSUM], data[-CHECKSUM:]
    if not content or _checksum(content) != checksum:
        message = "its checksum is not that of the rest, so a letter is wrong"
        raise NotBase58(message)
    return content


def encode_checked(content: bytes) -> str:
    return encode(content + _checksum(content))


def _checksum(content: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(content).digest()).digest()[:CHECKSUM]
