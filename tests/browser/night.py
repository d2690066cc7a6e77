"""What makes the books of the shared desk differ, and the night's task that finds it, through the real worker."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from cqops.platform.local.places import CHECKOUT
from tests.browsing import RunningDesk

PATIENCE = 60.0
TASK = "portfolio.reconcile_all"
VENUE, ACCOUNT = "coinbase_advanced", "Main"
SEND = f"from cqops.celery import app; app.send_task({TASK!r})"


def api(desk: RunningDesk) -> httpx.Client:
    """Speak to the desk as the demo's own program does."""
    headers = {"Authorization": f"Bearer {desk.access['token']}"}
    return httpx.Client(base_url=f"{desk.url}/api/v1", headers=headers, timeout=20)


def order(desk: RunningDesk, **changes: str) -> dict[str, Any]:
    """Place an order of the treasury book at the market."""
    body = {
        "venue": VENUE,
        "account": ACCOUNT,
        "portfolio": "Treasury book",
        "symbol": "ETH-USD",
        "side": "buy",
        "order_type": "market",
        "quantity": "0.05",
        **changes,
    }
    with api(desk) as client:
        answer = client.post("/orders", json=body)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


def take_back(desk: RunningDesk, order_id: str) -> None:
    with api(desk) as client:
        client.post(f"/orders/{order_id}/cancel")


def control(desk: RunningDesk, what: str, **body: str) -> None:
    """Move the hand that makes the simulated venues go wrong."""
    memory = json.loads((desk.folder / "installation.json").read_text(encoding="utf-8"))
    url = f"http://127.0.0.1:{memory['ports']['simulator']}/_control/{what}"
    httpx.post(url, json=body, timeout=20).raise_for_status()


@contextmanager
def wrong_venue(desk: RunningDesk) -> Iterator[Callable[..., None]]:
    """Let faults be added, and leave the venue and our books as they were: right."""
    try:
        yield lambda kind, **more: control(desk, "faults", kind=kind, venue=VENUE, **more)
    finally:
        control(desk, "clear")
        until_clean(desk)


def reconcile(desk: RunningDesk) -> dict[str, Any]:
    """Let a night pass; on a shared desk an account may be too busy to be checked, and says so."""
    for _ in range(3):
        run = _one_run(desk)
        if run["outcome"] != "not_checked":
            return run
    message = f"not checked three times: {run['words']}"
    raise AssertionError(message)


def _one_run(desk: RunningDesk) -> dict[str, Any]:
    """Send what the schedule sends, wait for the worker to end it, and give the run."""
    before = {run["id"] for run in _runs(desk)}
    in_shell(desk, SEND)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for run in _runs(desk):
            if run["id"] not in before and run["finished_at"]:
                return run
        time.sleep(0.3)
    message = "the worker did not end the reconciliation"
    raise AssertionError(message)


def until_clean(desk: RunningDesk) -> dict[str, Any]:
    """Reconcile until both sides agree: a fill that was hidden is found by one run, proven by the next."""
    for _ in range(4):
        run = reconcile(desk)
        if run["outcome"] == "clean":
            return run
    message = f"still not clean: {run['words']}"
    raise AssertionError(message)


def in_shell(desk: RunningDesk, code: str) -> None:
    """Run what no page does beside the desk, the way a developer would."""
    subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", code],
        cwd=CHECKOUT,
        env={**_own(), "LOCAL_DIR": str(desk.folder)},
        check=True,
        timeout=PATIENCE,
    )


def open_breaks(desk: RunningDesk) -> list[dict[str, Any]]:
    with api(desk) as client:
        found: list[dict[str, Any]] = client.get("/breaks").json()["results"]
    return found


def _runs(desk: RunningDesk) -> list[dict[str, Any]]:
    """Read the runs of the account these tests trade with; the night checks every account."""
    with api(desk) as client:
        found: list[dict[str, Any]] = client.get("/reconciliations").json()
    return [run for run in found if (run["venue"], run["account"]) == (VENUE, ACCOUNT)]


def _own() -> dict[str, str]:
    """Keep what any program needs; the desk's own file says the rest."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
