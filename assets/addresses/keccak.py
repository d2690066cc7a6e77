"""Keccak-256 as Ethereum uses it: Keccak's own padding, and not that of SHA-3, which hashlib has."""

from __future__ import annotations

RATE = 136
LANES = 25
ROUNDS = 24
MASK = (1 << 64) - 1


def _round_constants() -> tuple[int, ...]:
    """Run the shift register of the standard: seven bits a round, at places 2^j - 1."""
    found, register = [], 1
    for _ in range(ROUNDS):
        constant = 0
        for place in range(7):
            if register & 1:
                constant |= 1 << ((1 << place) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
        found.append(constant)
    return tuple(found)


def _walk() -> tuple[tuple[int, int], ...]:
    """List the lanes in the order of rho and pi, each with its rotation."""
    found, x, y = [], 1, 0
    for step in range(ROUNDS):
        x, y = y, (2 * x + 3 * y) % 5
        found.append((x + 5 * y, ((step + 1) * (step + 2) // 2) % 64))
    return tuple(found)


CONSTANTS = _round_constants()
WALK = _walk()


def keccak_256(data: bytes) -> bytes:
    """Hash bytes to 32 bytes."""
    padding = bytearray(RATE - len(data) % RATE)
    padding[0] ^= 0x01
    padding[-1] ^= 0x80
    padded = data + bytes(padding)
    lanes = [0] * LANES
    for start in range(0, len(padded), RATE):
        for lane in range(RATE // 8):
            here = start + 8 * lane
            lanes[lane] ^= int.from_bytes(padded[here : here + 8], "little")
        _permute(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def _permute(lanes: list[int]) -> None:
    for constant in CONSTANTS:
        _mix_columns(lanes)
        moved = lanes[1]
        for place, turn in WALK:
            lanes[place], moved = _rotated(moved, turn), lanes[place]
        for row in range(0, LANES, 5):
            old = lanes[row : row + 5]
            for x in range(5):
                lanes[row + x] = old[x] ^ (~old[(x + 1) % 5] & old[(x + 2) % 5] & MASK)
        lanes[0] ^= constant


def _mix_columns(lanes: list[int]) -> None:
    sums = [
        lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)
    ]
    for x in range(5):
        change = sums[(x - 1) % 5] ^ _rotated(sums[(x + 1) % 5], 1)
        for row in range(0, LANES, 5):
            lanes[row + x] ^= change


def _rotated(lane: int, turn: int) -> int:
    return ((lane << turn) | (lane >> (64 - turn))) & MASK
