"""Bech32 and bech32m (BIP 173 and 350): a readable prefix, 5-bit letters and a checksum of six."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
DIGITS = {letter: digit for digit, letter in enumerate(LETTERS)}
GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
BECH32, BECH32M = 1, 0x2BC830A3
CHECKSUM = 6
LONGEST = 90


class NotBech32(ValueError):
    """It is not written in bech32, or its checksum is not that of the rest."""


@dataclass(frozen=True, slots=True)
class Decoded:
    prefix: str
    digits: tuple[int, ...]
    is_m: bool

    def content(self, *, skip: int = 0) -> bytes:
        """Return the bytes behind the 5-bit digits, without the first ones."""
        bits = width = 0
        found = bytearray()
        for digit in self.digits[skip:]:
            bits, width = bits << 5 | digit, width + 5
            if width >= 8:  # noqa: PLR2004 -- a byte
                width -= 8
                found.append(bits >> width)
                bits &= (1 << width) - 1
        if width >= 5 or bits:  # noqa: PLR2004 -- more than padding
            message = "it does not end on a whole byte"
            raise NotBech32(message)
        return bytes(found)


def decode(text: str) -> Decoded:
    if text not in {text.lower(), text.upper()}:
        message = "capital and small letters are mixed"
        raise NotBech32(message)
    lower = text.lower()
    prefix, mark, rest = lower.rpartition("1")
    if not mark or not prefix or len(rest) < CHECKSUM or len(lower) > LONGEST:
        message = "it has no prefix, or not the length of one"
        raise NotBech32(message)
    if set(rest) - DIGITS.keys():
        message = "it has letters that bech32 never uses"
        raise NotBech32(message)
    digits = [DIGITS[letter] for letter in rest]
    found = _polymod([*_spread(prefix), *digits])
    if found not in {BECH32, BECH32M}:
        message = "its checksum is not that of the rest, so a letter is wrong"
        raise NotBech32(message)
    return Decoded(prefix, tuple(digits[:-CHECKSUM]), found == BECH32M)


def encode(prefix: str, digits: Iterable[int], *, is_m: bool = False) -> str:
    values = list(digits)
    wanted = BECH32M if is_m else BECH32
    sum_of = _polymod([*_spread(prefix), *values, *([0] * CHECKSUM)]) ^ wanted
    checksum = [sum_of >> 5 * (CHECKSUM - 1 - place) & 31 for place in range(CHECKSUM)]
    return f"{prefix}1{''.join(LETTERS[digit] for digit in values + checksum)}"


def _spread(prefix: str) -> list[int]:
    codes = [ord(letter) for letter in prefix]
    return [*(code >> 5 for code in codes), 0, *(code & 31 for code in codes)]


def _polymod(values: Iterable[int]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for place, part in enumerate(GENERATOR):
            checksum ^= part if top >> place & 1 else 0
    return checksum
