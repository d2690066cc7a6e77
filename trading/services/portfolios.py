"""How portfolios come in and change."""

from __future__ import annotations

from django.db import transaction

from cqops.platform.audit.services import record_saved, stored
from trading.models import Portfolio

RECORDED = ("name", "kind", "is_open")


@transaction.atomic
def save_portfolio(*, portfolio: Portfolio) -> Portfolio:
    portfolio.full_clean()
    old = stored(portfolio)
    portfolio.save()
    record_saved(kind="portfolio", old=old, new=portfolio, fields=RECORDED)
    return portfolio
