from __future__ import annotations

from celery import shared_task

from trading.services.cancels import send_cancel
from trading.services.submission import submit
from trading.services.sweep import sweep


@shared_task(name="trading.submit_order")
def submit_order(order_id: str) -> None:
    submit(order_id)


@shared_task(name="trading.cancel_order")
def cancel_order(order_id: str) -> None:
    send_cancel(order_id)


@shared_task(name="trading.sweep_orders")
def sweep_orders() -> None:
    sweep()
