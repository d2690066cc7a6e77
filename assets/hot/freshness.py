"""What each area of the registry is at, as the database told, and until when that is believed. Pure.

An area is a few tables that change together, such as the names; its version grows with each change. An
answer is stamped with the latest version of all areas it rests on, so that it is fresh exactly while
that stamp is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping

UNKNOWN = 0


class Freshness:
    def __init__(self) -> None:
        self._areas: dict[str, int] = {}
        self._followers: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        # By the monotonic clock. Nothing is believed that was not proven a moment ago.
        self.believed_until = 0.0

    def follow(self, follower: Callable[[], None]) -> None:
        """Call whoever keeps a stamp, now and after every change."""
        self._followers.append(follower)
        follower()

    def told(self, area: str, version: int) -> None:
        """Take the word of the database that an area moved."""
        self._take({area: version})

    def proven(self, areas: Mapping[str, int], *, until: float) -> None:
        """Take what the database says every area is at: whatever was missed is known by now."""
        self._take(areas)
        self.believed_until = until

    def lost(self) -> None:
        """Believe nothing until it is proven again."""
        self.believed_until = 0.0

    def stamp_of(self, areas: Collection[str]) -> int:
        """Return what an answer is stamped with; of an area that nobody tells of, none is fresh."""
        versions = [self._areas.get(area, UNKNOWN) for area in areas]
        return UNKNOWN if UNKNOWN in versions else max(versions)

    def _take(self, areas: Mapping[str, int]) -> None:
        with self._lock:
            newer = {
                area: version
                for area, version in areas.items()
                if version > self._areas.get(area, UNKNOWN)
            }
            self._areas.update(newer)
            for follower in self._followers if newer else ():
                follower()
