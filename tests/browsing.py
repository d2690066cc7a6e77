"""What browser tests stand on: a desk of their own, and pages that report every complaint.

Playwright's sync interface keeps an event loop in the thread it runs in, where Django then refuses
every query and pytest-asyncio every test of its own. So a browser lives as long as one module, and
a module of browser tests holds nothing else and asks the desk, never the ORM.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from cqops.platform.local.lock import Lock, is_held
from cqops.platform.local.places import CHECKOUT
from cqops.platform.local.ports import free_port
from tests.canaries import EARS

START_SECONDS = 240
FLAGS = (
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--metrics-recording-only",
)
# A page waits as long as this for what it expects: two cores may be busy with another suite.
EXPECT_SECONDS = 15
expect.set_options(timeout=EXPECT_SECONDS * 1000)
ABORTED = "net::ERR_ABORTED"  # the page went elsewhere before the answer came: not a failure


@dataclass(frozen=True, kw_only=True)
class RunningDesk:
    """A desk started the way a user starts one."""

    url: str
    port: int
    folder: Path
    process: subprocess.Popen[str]
    access: dict[str, Any]
    seconds_to_ready: float

    def user(self, role: str) -> dict[str, str]:
        return next(user for user in self.access["users"] if user["role"] == role)

    def pids(self) -> dict[str, int]:
        """Say which process each part runs in now, as the supervisor wrote it down."""
        lines = json.loads((self.folder / "processes.json").read_text(encoding="utf-8"))
        return {line["name"]: line["pid"] for line in lines}


@pytest.fixture(scope="session")
def desk() -> Iterator[RunningDesk]:
    """Start `make run`'s supervisor in a fresh folder, and stop it after the last test."""
    with OwnDesk("desk", free_port()) as own:
        yield own.start()


class OwnDesk:
    """A folder with a desk in it, which may be started again when its supervisor was killed."""

    def __init__(self, name: str, port: int) -> None:
        self._folder, self._port = _scratch() / name, port
        self._log = self._folder.with_name(f"{name}.log")
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        _stop_earlier(self._folder)
        shutil.rmtree(self._folder, ignore_errors=True)
        return self

    def start(self) -> RunningDesk:
        began = time.monotonic()
        with self._log.open("w", encoding="utf-8") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cqops.platform.local", "run"],
                cwd=CHECKOUT,
                env=_environment(self._folder, self._port),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                text=True,
            )
        _await_ready(self._process, self._log)
        access = _access(self._folder)
        EARS.know_desk(self._folder / "env", access)
        return RunningDesk(
            url=f"http://localhost:{self._port}",
            port=self._port,
            folder=self._folder,
            process=self._process,
            access=access,
            seconds_to_ready=time.monotonic() - began,
        )

    def said(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(timeout=60)


def _scratch() -> Path:
    folder = Path(os.environ.get("LOCAL_DIR", CHECKOUT / ".local" / "test"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _environment(folder: Path, port: int) -> dict[str, str]:
    """Start from the user's environment: the test servers are not the desk's."""
    passed_on = ("PATH", "HOME", "LANG", "TMPDIR", "CQOPS_RECORDED", "READY_SECONDS")
    mine = {name: os.environ[name] for name in passed_on if name in os.environ}
    return {**mine, "LOCAL_DIR": str(folder), "PORT": str(port)}


def _stop_earlier(folder: Path) -> None:
    """End the desk of a test run that was killed before it could."""
    lock = folder / "lock"
    if lock.exists() and is_held(lock):
        os.kill(int(Lock(lock).holder()["pid"]), signal.SIGTERM)
        deadline = time.monotonic() + 60
        while is_held(lock) and time.monotonic() < deadline:
            time.sleep(0.1)


def _await_ready(process: subprocess.Popen[str], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while "\nReady: " not in (text := log.read_text(encoding="utf-8")):
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"the desk did not start:\n{text}", pytrace=False)
        time.sleep(0.1)


def _access(folder: Path) -> dict[str, Any]:
    """Ask for the sign-ins by hand, the way a developer does beside a running desk."""
    environment = _environment(folder, 0)
    answer = subprocess.run(
        [sys.executable, "manage.py", "seed", "--show-access"],
        cwd=CHECKOUT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(answer.stdout.strip().splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium, headless=True, args=flags, chromium_sandbox=os.geteuid() != 0
        )
        yield started
        started.close()


@dataclass
class Watch:
    """What pages complained about during one test."""

    complaints: list[str] = field(default_factory=list)
    excused: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def on(self, page: Page) -> None:
        """Hear console errors (CSP violations are some), uncaught errors and failed requests."""
        page.on("console", lambda line: self._console(line.type, line.text, page.url))
        page.on("pageerror", lambda error: self._add(f"uncaught on {page.url}: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def _console(self, kind: str, text: str, url: str) -> None:
        if kind == "error":
            self._add(f"console on {url}: {text}")

    def _failed(self, request: Any) -> None:
        if request.failure != ABORTED:
            self._add(f"request failed: {request.method} {request.url}: {request.failure}")

    def _answered(self, response: Any) -> None:
        if response.status >= 500:
            self._add(f"answer {response.status}: {response.request.method} {response.url}")

    def _add(self, text: str) -> None:
        self.complaints.append(text)

    def left(self) -> list[str]:
        return [
            text
            for text in self.complaints
            if not any(re.search(pattern, text) for pattern in self.excused)
        ]


@pytest.fixture
def watch(request: pytest.FixtureRequest) -> Iterator[Watch]:
    """Fail the test on any complaint it did not excuse, with a picture of each page."""
    watch = Watch()
    yield watch
    report = getattr(request.node, "call_report", None)
    if watch.left() or (report is not None and report.failed):
        _picture(watch, request.node.name)
    for context in watch.contexts:
        context.close()
    if watch.left():
        pytest.fail("the page complained:\n" + "\n".join(watch.left()), pytrace=False)


def _picture(watch: Watch, name: str) -> None:
    folder = _scratch() / "screenshots"
    folder.mkdir(exist_ok=True)
    safe = re.sub(r"[^\w.-]+", "_", name)
    pages = [page for context in watch.contexts for page in context.pages]
    for number, page in enumerate(pages, start=1):
        page.screenshot(path=folder / f"{safe}-{number}.png", full_page=True)


@pytest.fixture
def excuse(watch: Watch) -> Callable[[str], None]:
    """Expect a complaint: `excuse("status of 403")` before asking for what is forbidden."""
    return watch.excused.append


@pytest.fixture
def new_page(browser: Browser, desk: RunningDesk, watch: Watch) -> Callable[..., Page]:
    """Open pages in sessions of their own: one a person, one a screen size."""

    def open_page(**options: Any) -> Page:
        context = browser.new_context(base_url=desk.url, **options)
        context.set_default_timeout(10_000)
        watch.contexts.append(context)
        page = context.new_page()
        watch.on(page)
        return page

    return open_page


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Leave the outcome where the fixtures see it when they end."""
    report = yield
    if report.when == "call":
        item.call_report = report  # type: ignore[attr-defined]
    return report
