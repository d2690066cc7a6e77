from __future__ import annotations

import random

from celery import shared_task

from cqops.demo import trade_quietly


@shared_task(name="cqops.demo_strategy")
def demo_strategy() -> None:
    trade_quietly(dice=random.SystemRandom())
