"""What event loops complain about is only logged, by asyncio's logger; here it fails the test it came in.

Every test's loop runs in debug mode, which tells of coroutines that hold up a loop, of exceptions that
nobody looked at, of loops that are closed with work left.
"""

import gc
import logging
from collections.abc import Iterator

import pytest

# Debug mode calls 0.1 s slow. Two cores that also run servers, browsers and other suites take that for
# a garbage collection or an import, so only what no load explains fails a test.
SLOW_CALLBACK_SECONDS = 1.0
HELD_UP = "Executing %s took %.3f seconds"


class LoopFindings(logging.Handler):
    """The complaints of every loop and thread since they were last looked at."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.complaints: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.msg == HELD_UP and _seconds(record) < SLOW_CALLBACK_SECONDS:
            return
        self.complaints.append(self.format(record))

    def take(self) -> list[str]:
        found, self.complaints = self.complaints, []
        return found


def _seconds(record: logging.LogRecord) -> float:
    args = record.args
    return float(args[1]) if isinstance(args, tuple) and isinstance(args[1], float) else 0.0


@pytest.fixture(scope="session")
def _loop_findings() -> Iterator[LoopFindings]:
    findings = LoopFindings()
    logger = logging.getLogger("asyncio")
    logger.addHandler(findings)
    yield findings
    logger.removeHandler(findings)


@pytest.fixture(autouse=True)
def loop_findings(
    request: pytest.FixtureRequest, _loop_findings: LoopFindings
) -> Iterator[LoopFindings]:
    """Fail the test during which a loop complained."""
    yield _loop_findings
    if request.node.get_closest_marker("asyncio"):
        gc.collect()  # an exception nobody looked at is told when its task is thrown away
    if found := _loop_findings.take():
        pytest.fail("an event loop complained:\n" + "\n".join(found), pytrace=False)
