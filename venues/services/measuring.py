"""How often venues are called, how long they take, how it ended, and what is left to spend."""

from __future__ import annotations

import logging
import re

from prometheus_client import Counter, Gauge, Histogram

from cqops.platform.telemetry.spans import Kind, Value, happened
from venues.services.readings import readings
from venues.transport.breaker import State, View
from venues.transport.operation import Priority
from venues.transport.report import Exchange, Finished, Outcome

logger = logging.getLogger(__name__)

CALLS = Histogram("cqops_venue_call_seconds", "Calls to venues.", ["venue", "operation", "outcome"])
OPERATIONS = Histogram(
    "cqops_venue_operation_seconds",
    "Operations at venues, their waits and retries included.",
    ["venue", "operation", "outcome"],
)
RETRIES = Counter("cqops_venue_retries", "Calls made again.", ["venue", "operation"])
BUDGET = Gauge("cqops_venue_budget_left", "Calls left in a bucket.", ["venue", "account", "bucket"])
BREAKER = Gauge("cqops_venue_breaker_open", "1 while calls are held back.", ["venue", "account"])
_WORD = re.compile(r"[a-z_]+|v\d+")
OK, REFUSED, RATE_LIMITED, FAILED = 200, 400, 429, 500
UNANSWERED = frozenset({"failed", "no answer"})


def called(venue: str, exchange: Exchange) -> None:
    """Count one attempt."""
    operation = exchange.operation or operation_of(exchange.method, exchange.path)
    outcome = outcome_of(exchange.status)
    CALLS.labels(venue, operation, outcome).observe(exchange.seconds)
    readings().called(venue, operation, outcome, exchange.seconds)
    told: dict[str, Value] = {
        "venue": venue,
        "outcome": outcome,
        "http.response.status_code": exchange.status,
    }
    happened(
        f"venue {operation}",
        seconds=exchange.seconds,
        kind=Kind.CLIENT,
        failed=outcome if outcome in UNANSWERED else "",
        **told,
    )


def finished(venue: str, account: str, told: Finished) -> None:
    """Count one operation and write its line; a read that went well is worth no more than debug."""
    operation = told.operation or operation_of(told.method, told.path)
    OPERATIONS.labels(venue, operation, told.outcome.value).observe(told.seconds)
    if told.attempts > 1:
        RETRIES.labels(venue, operation).inc(told.attempts - 1)
    for bucket, left in told.budget_left.items():
        BUDGET.labels(venue, account, bucket).set(left)
        readings().say(venue, "budget", bucket, value=left, account=account)
    readings().say(venue, "breaker", "breaker", words=told.breaker, account=account)
    is_routine = told.outcome is Outcome.OK and told.priority is Priority.READ
    budget = ",".join(f"{name}:{left:.1f}" for name, left in told.budget_left.items())
    logger.log(
        logging.DEBUG if is_routine else logging.INFO,
        "venue call venue=%s account=%s operation=%r reference=%s outcome=%r cause=%s"
        " seconds=%.3f attempts=%d budget=%s breaker=%r",
        venue,
        account,
        operation,
        told.reference or "-",
        told.outcome.value,
        told.cause or "-",
        told.seconds,
        told.attempts,
        budget or "-",
        told.breaker,
    )


def opened(venue: str, account: str, view: View) -> None:
    """Tell of a breaker that moved."""
    BREAKER.labels(venue, account).set(view.state is not State.CLOSED)
    readings().say(venue, "breaker", "breaker", words=view.state.value, account=account)
    logger.warning(
        "breaker of venue=%s account=%s is %s after %d failures; last: %s",
        venue,
        account,
        view.state.value,
        view.failures,
        view.last_failure,
    )


def operation_of(method: str, path: str) -> str:
    """Name what was asked for, without the ids and symbols that make every call another one."""
    parts = path.partition("?")[0].split("/")
    return f"{method} " + "/".join(
        part if not part or _WORD.fullmatch(part) else "{}" for part in parts
    )


def outcome_of(status: int) -> str:
    if status == RATE_LIMITED:
        return "rate limited"
    if status >= FAILED:
        return "failed"
    if status >= REFUSED:
        return "refused"
    return "ok" if status >= OK else "no answer"
