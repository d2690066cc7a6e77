from __future__ import annotations

from celery import shared_task

from portfolio.services.positions import absorb_executions
from portfolio.services.reconciliation import carry_out, request_all, sweep_reconciliations


@shared_task(name="portfolio.absorb_executions")
def absorb_executions_task() -> None:
    absorb_executions()


@shared_task(name="portfolio.reconcile_all")
def reconcile_all_task() -> None:
    request_all()


@shared_task(name="portfolio.reconcile")
def reconcile_task(run_id: str) -> None:
    carry_out(run_id)


@shared_task(name="portfolio.sweep_reconciliations")
def sweep_reconciliations_task() -> None:
    sweep_reconciliations()
