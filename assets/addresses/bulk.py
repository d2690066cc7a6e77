"""Thousands of addresses written at once: what a list brings, in the time one address takes by itself.

Keccak knows only AND, XOR and rotation, so a whole number can carry one lane of every message side by side,
64 bits each. One pass over such numbers hashes them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assets.addresses.families import HEX_ADDRESS, BadAddress, Family, normalised
from assets.addresses.keccak import CONSTANTS, LANES, RATE, WALK

TOGETHER = 512
WORD = 64
NIBBLE_TOP = 8
Spelt = str | BadAddress


def normalised_many(family: Family | str, addresses: Sequence[str]) -> list[Spelt]:
    """Spell each address the way its family has, or give the refusal in its place."""
    if Family(family) is not Family.EVM:
        return [_one(family, address) for address in addresses]
    stripped = [address.strip() for address in addresses]
    right = _checksums({text[2:].lower() for text in stripped if HEX_ADDRESS.fullmatch(text)})
    return [_evm(text, right) for text in stripped]


def _one(family: Family | str, address: str) -> Spelt:
    try:
        return normalised(family, address)
    except BadAddress as error:
        return error


def _evm(text: str, right: dict[str, str]) -> Spelt:
    letters = text[2:]
    found = right.get(letters.lower())
    if found is None or letters not in {letters.lower(), letters.upper(), found}:
        return _one(Family.EVM, text)
    return f"0x{found}"


def _checksums(bodies: set[str]) -> dict[str, str]:
    """Write the capitals of EIP-55 for each body of forty small hexadecimal digits."""
    found: dict[str, str] = {}
    ordered = sorted(bodies)
    for start in range(0, len(ordered), TOGETHER):
        some = ordered[start : start + TOGETHER]
        for body, digest in zip(some, _digests(some), strict=True):
            found[body] = "".join(
                letter.upper() if int(digit, 16) >= NIBBLE_TOP else letter
                for letter, digit in zip(body, digest, strict=False)
            )
    return found


def _digests(texts: Sequence[str]) -> Iterator[str]:
    """Hash texts of one block each with Keccak-256."""
    count = len(texts)
    blocks = [_block(text.encode()) for text in texts]
    lanes = [
        int.from_bytes(b"".join(block[8 * lane : 8 * lane + 8] for block in blocks), "little")
        for lane in range(RATE // 8)
    ]
    lanes += [0] * (LANES - len(lanes))
    _permute(lanes, count)
    size = 8 * count
    written = [lane.to_bytes(size, "little") for lane in lanes[:4]]
    for place in range(0, size, 8):
        yield b"".join(lane[place : place + 8] for lane in written).hex()


def _block(data: bytes) -> bytes:
    padding = bytearray(RATE - len(data))
    padding[0] ^= 0x01
    padding[-1] ^= 0x80
    return data + bytes(padding)


class _Beside:
    """Rotation and constants for so many words side by side."""

    def __init__(self, count: int) -> None:
        self.ones = int.from_bytes(b"\1\0\0\0\0\0\0\0" * count, "little")
        self.full = self.ones * ((1 << WORD) - 1)
        self._low = [self.ones * ((1 << turn) - 1) for turn in range(WORD)]

    def rotated(self, lane: int, turn: int) -> int:
        low = self._low[turn]
        return ((lane << turn) & (self.full ^ low)) | ((lane >> (WORD - turn)) & low)


def _permute(lanes: list[int], count: int) -> None:
    beside = _Beside(count)
    for constant in CONSTANTS:
        sums = [
            lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20]
            for x in range(5)
        ]
        for x in range(5):
            change = sums[(x - 1) % 5] ^ beside.rotated(sums[(x + 1) % 5], 1)
            for row in range(0, LANES, 5):
                lanes[row + x] ^= change
        moved = lanes[1]
        for place, turn in WALK:
            lanes[place], moved = beside.rotated(moved, turn), lanes[place]
        for row in range(0, LANES, 5):
            old = lanes[row : row + 5]
            for x in range(5):
                lanes[row + x] = old[x] ^ ((old[(x + 1) % 5] ^ beside.full) & old[(x + 2) % 5])
        lanes[0] ^= beside.ones * constant
