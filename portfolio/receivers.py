"""Hears that executions were recorded and books them at once; the schedule catches what is missed."""

from __future__ import annotations

import logging
from typing import Any

from django.db import DatabaseError

from portfolio.services.positions import absorb_executions
from trading.signals import executions_recorded

log = logging.getLogger(__name__)


def connect() -> None:
    executions_recorded.connect(_absorb, dispatch_uid="portfolio-absorbs")


def _absorb(**_: Any) -> None:
    try:
        absorb_executions()
    except DatabaseError as error:
        log.warning("executions not absorbed yet, the schedule will: %s", error)
