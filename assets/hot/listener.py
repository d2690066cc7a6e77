"""Hears the database tell what changed, on a connection of its own, and proves every second that it hears.

A trigger notifies at each commit (`assets_told`). That alone would be a hope: so what every area is at is
also read, and what was missed is known then. While the connection is away nothing is believed, and one
that hangs without ending is not believed longer than `BELIEVED_SECONDS`.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import psycopg
from django.db import connection

from assets.hot.kinds import Cache
from cqops.platform.telemetry import ops
from cqops.platform.telemetry.notes import Severity

log = logging.getLogger(__name__)
CHANNEL = "assets_told"
PROOF_SECONDS = 1.0
BELIEVED_SECONDS = 3.0
RETRY_SECONDS = 0.5
Link = psycopg.Connection[Any]


def own_connection() -> Link:
    """Open a connection outside the pool that gives up on a server that does not answer."""
    given = connection.get_connection_params()
    patience = {"keepalives_idle": 5, "tcp_user_timeout": int(BELIEVED_SECONDS * 1000)}
    return psycopg.connect(**{**given, **patience}, autocommit=True)


class Listener:
    """One thread a process."""

    def __init__(
        self,
        cache: Cache,
        *,
        connect: Callable[[], Link] = own_connection,
        proof_seconds: float = PROOF_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._cache = cache
        self._connect = connect
        self._proof_seconds = proof_seconds
        self._retry_seconds = retry_seconds
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="registry-listener", daemon=True)
        self._is_away = False

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._follow()
            except (psycopg.Error, OSError) as error:
                self._cache.freshness.lost()
                self._tell_away(error)
            self._cache.tell_metrics()
            self._ending.wait(self._retry_seconds)
        self._cache.freshness.lost()

    def _follow(self) -> None:
        with self._connect() as link:
            link.execute(f"LISTEN {CHANNEL}")
            self._prove(link)
            self._tell_back()
            while not self._ending.is_set():
                for notice in link.notifies(timeout=self._proof_seconds):
                    area, version = notice.payload.rsplit(" ", 1)
                    self._cache.freshness.told(area, int(version))
                self._prove(link)
                self._cache.tell_metrics()

    def _prove(self, link: Link) -> None:
        """Read what every area is at; that is true of the moment before it was asked."""
        asked = self._cache.clock()
        row = link.execute("SELECT areas::text FROM assets_told").fetchone()
        areas: dict[str, int] = json.loads(row[0]) if row else {}
        self._cache.freshness.proven(areas, until=asked + BELIEVED_SECONDS)

    def _tell_away(self, error: Exception) -> None:
        if not self._is_away:
            log.warning("hot look-ups read the database, the listener is away: %s", error)
            words = "The registry's hot look-ups hear no changes, so they read the database."
            ops.tell("registry.deaf", words, severity=Severity.ATTENTION)
        self._is_away = True

    def _tell_back(self) -> None:
        if self._is_away:
            ops.tell("registry.hears", "The registry's hot look-ups hear changes again.")
        self._is_away = False
