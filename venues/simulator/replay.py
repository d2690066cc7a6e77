"""Whether a signed call is fresh: hooks for whichever venue checks a clock window or a nonce."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

_MOST_REMEMBERED: Final = 10_000


def is_within(sent: float, now: float, *, late: float, early: float | None = None) -> bool:
    """Tell whether a call's time is near enough the venue's; what is no number never is."""
    return -(late if early is None else early) <= now - sent <= late


class GrowingNonces:
    """For venues whose nonce must grow with every call of a key; some forgive a little disorder."""

    def __init__(self, *, window: int = 0) -> None:
        self._window = window
        self._highest: dict[str, int] = {}
        self._used: dict[str, set[int]] = {}

    def accepts(self, key_id: str, nonce: int) -> bool:
        """Use a nonce up, or say that it comes too late."""
        highest = self._highest.get(key_id, nonce - 1)
        used = self._used.setdefault(key_id, set())
        if (
            nonce <= highest - self._window
            or nonce in used
            or (not self._window and nonce <= highest)
        ):
            return False
        self._highest[key_id] = highest = max(nonce, highest)
        used.add(nonce)
        self._used[key_id] = {one for one in used if one > highest - self._window}
        return True


class OnceOnly:
    """For venues that take each nonce, token or signature of a key a single time."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], float] = OrderedDict()

    def accepts(self, key_id: str, mark: str, *, now: float, keep: float) -> bool:
        """Use a mark up, and remember it for as long as what carried it could be valid."""
        while self._seen and (
            next(iter(self._seen.values())) <= now or len(self._seen) >= _MOST_REMEMBERED
        ):
            self._seen.popitem(last=False)
        if (key_id, mark) in self._seen:
            return False
        self._seen[key_id, mark] = now + keep
        return True
