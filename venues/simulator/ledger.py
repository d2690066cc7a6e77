"""Who owns what: every amount moves between two places, so nothing appears or vanishes.

The house stands for everybody who is not a client. A deposit comes out of it, a fill settles
against it, fees go into it; per currency, the clients' totals and the house's add up to zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from venues.simulator.terms import ZERO, Refusal, Refused


@dataclass(slots=True)
class Wallet:
    available: Decimal = ZERO
    held: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return self.available + self.held


class Ledger:
    """Every account's wallets, and the house."""

    def __init__(self) -> None:
        self.wallets: dict[str, dict[str, Wallet]] = {}
        self.house: dict[str, Decimal] = {}
        self.dirty: set[tuple[str, str]] = set()

    def wallet(self, account: str, currency: str) -> Wallet:
        self.dirty.add((account, currency))
        return self.wallets.setdefault(account, {}).setdefault(currency, Wallet())

    def deposit(self, account: str, currency: str, amount: Decimal) -> None:
        self.wallet(account, currency).available += amount
        self._house(currency, -amount)

    def hold(self, account: str, currency: str, amount: Decimal) -> None:
        wallet = self.wallet(account, currency)
        if amount > wallet.available:
            raise Refused(Refusal.INSUFFICIENT_FUNDS)
        wallet.available -= amount
        wallet.held += amount

    def release(self, account: str, currency: str, amount: Decimal) -> None:
        wallet = self.wallet(account, currency)
        wallet.held -= amount
        wallet.available += amount

    def pay_from_hold(self, account: str, currency: str, amount: Decimal) -> None:
        self.wallet(account, currency).held -= amount
        self._house(currency, amount)

    def receive(self, account: str, currency: str, amount: Decimal) -> None:
        self.wallet(account, currency).available += amount
        self._house(currency, -amount)

    def imbalance(self) -> dict[str, Decimal]:
        """Return what does not add up, by currency: always nothing."""
        sums = dict(self.house)
        for wallets in self.wallets.values():
            for currency, wallet in wallets.items():
                sums[currency] = sums.get(currency, ZERO) + wallet.total
        return {currency: amount for currency, amount in sums.items() if amount}

    def _house(self, currency: str, amount: Decimal) -> None:
        self.house[currency] = self.house.get(currency, ZERO) + amount
