"""The simulator's journal: whatever was acknowledged survives a kill.

One SQLite file a venue, in write-ahead mode. Each change of the exchange is one transaction,
committed before anybody is told. The operating system keeps what a killed process has written, so
`synchronous=NORMAL` is enough for that promise; a power cut is not simulated.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from venues.simulator.ledger import Ledger, Wallet
from venues.simulator.terms import SimFill, SimOrder

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS wallets (
    account TEXT, currency TEXT, available TEXT NOT NULL, held TEXT NOT NULL,
    PRIMARY KEY (account, currency)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS house (currency TEXT PRIMARY KEY, amount TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS orders (
    order_id TEXT PRIMARY KEY, account TEXT NOT NULL, client_order_id TEXT NOT NULL,
    sequence INTEGER NOT NULL, body BLOB NOT NULL, UNIQUE (account, client_order_id));
CREATE TABLE IF NOT EXISTS fills (fill_id TEXT PRIMARY KEY, sequence INTEGER UNIQUE, body BLOB);
CREATE TABLE IF NOT EXISTS marks (market TEXT PRIMARY KEY, price TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(slots=True)
class Journal:
    """Everything a restart begins with."""

    ledger: Ledger
    orders: list[SimOrder] = field(default_factory=list)
    fills: list[SimFill] = field(default_factory=list)
    marks: dict[str, Decimal] = field(default_factory=dict)


class Store:
    """One venue's file; `:memory:` for tests that restart nothing."""

    def __init__(self, path: Path | str) -> None:
        self._base = sqlite3.connect(path, isolation_level=None)
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=NORMAL")
        self._base.executescript(_SCHEMA)

    def close(self) -> None:
        self._base.close()

    def load(self) -> Journal:
        journal = Journal(Ledger())
        ledger = journal.ledger
        for account, currency, available, held in self._base.execute(
            "SELECT account, currency, available, held FROM wallets"
        ):
            wallet = Wallet(Decimal(available), Decimal(held))
            ledger.wallets.setdefault(account, {})[currency] = wallet
        for currency, amount in self._base.execute("SELECT currency, amount FROM house"):
            ledger.house[currency] = Decimal(amount)
        for (body,) in self._base.execute("SELECT body FROM orders ORDER BY sequence"):
            journal.orders.append(msgspec.json.decode(body, type=SimOrder))
        for (body,) in self._base.execute("SELECT body FROM fills ORDER BY sequence"):
            journal.fills.append(msgspec.json.decode(body, type=SimFill))
        for market, price in self._base.execute("SELECT market, price FROM marks"):
            journal.marks[market] = Decimal(price)
        return journal

    def save(
        self,
        *,
        ledger: Ledger,
        orders: Iterable[SimOrder],
        fills: Iterable[SimFill],
        marks: Iterable[tuple[str, Decimal]] = (),
    ) -> None:
        """Write one change whole or not at all."""
        base = self._base
        base.execute("BEGIN IMMEDIATE")
        try:
            base.executemany("INSERT OR REPLACE INTO wallets VALUES (?, ?, ?, ?)", _wallets(ledger))
            if ledger.dirty:
                base.executemany(
                    "INSERT OR REPLACE INTO house VALUES (?, ?)",
                    [(currency, str(amount)) for currency, amount in ledger.house.items()],
                )
            base.executemany(
                "INSERT INTO orders VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (order_id) DO UPDATE SET body = excluded.body",
                [_order_row(order) for order in orders],
            )
            base.executemany(
                "INSERT INTO fills VALUES (?, ?, ?)",
                [(fill.fill_id, fill.sequence, msgspec.json.encode(fill)) for fill in fills],
            )
            base.executemany(
                "INSERT OR REPLACE INTO marks VALUES (?, ?)",
                [(market, str(price)) for market, price in marks],
            )
        except BaseException:
            base.execute("ROLLBACK")
            raise
        base.execute("COMMIT")
        ledger.dirty.clear()


def _wallets(ledger: Ledger) -> list[tuple[str, str, str, str]]:
    return [
        (account, currency, str(wallet.available), str(wallet.held))
        for account, currency in ledger.dirty
        for wallet in (ledger.wallets[account][currency],)
    ]


def _order_row(order: SimOrder) -> tuple[str, str, str, int, bytes]:
    return (
        order.order_id,
        order.account,
        order.instruction.client_order_id,
        order.sequence,
        msgspec.json.encode(order),
    )
