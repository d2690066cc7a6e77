"""`make test`: the whole suite on PostgreSQL and Redis of its own, browser included."""

import shlex
from collections.abc import Mapping, Sequence

from cqops.platform.local import browser
from cqops.platform.local.commands.browser import install
from cqops.platform.local.own_servers import NOT_PASSED_ON, Workshop, workshop
from cqops.platform.local.places import Places
from cqops.platform.local.refusal import Refusal

COVERAGE_FLOOR = 70
_NO = {"", "0", "false"}


def main(places: Places, environ: Mapping[str, str], arguments: Sequence[str]) -> int:
    chosen = [*shlex.split(environ.get("ARGS", "")), *arguments]
    skips = environ.get("SKIP_BROWSER", "") not in _NO
    is_unjudged = environ.get("SKIP_ORACLES", "") not in _NO
    if skips:
        print("SKIP_BROWSER is set: BROWSER TESTS ARE LEFT OUT of this run.")
    chromium = None if skips else _chromium(environ, must_have=not chosen)
    for name in (name for name in NOT_PASSED_ON if environ.get(name)):
        print(f"{name} of your environment is not used: tests have servers and keys of their own.")
    with workshop(places, environ, name="test") as shop:
        if chromium:
            shop.environment["CHROMIUM"] = chromium
        status = shop.run_python("-m", "pytest", *_caches(shop), *(chosen or _coverage(shop)))
    if skips:
        print("BROWSER TESTS WERE LEFT OUT (SKIP_BROWSER).")
    if is_unjudged:
        print("NOBODY INDEPENDENT JUDGED THE SIMULATED VENUES (SKIP_ORACLES).")
    return status


def _chromium(environ: Mapping[str, str], *, must_have: bool) -> str | None:
    """Find Chromium before anything runs; only a build server gets one installed unasked."""
    found = browser.find(environ)
    if found is None and environ.get("CI", "").lower() == "true" and must_have:
        install(environ)
        found = browser.find(environ)
    if found is None and must_have:
        raise Refusal(browser.MISSING)
    return found


def _caches(shop: Workshop) -> list[str]:
    """Keep what the tools remember in the folder that `make clean` removes."""
    local = shop.places.local
    shop.environment["HYPOTHESIS_STORAGE_DIRECTORY"] = str(local / "hypothesis")
    shop.environment["COVERAGE_FILE"] = str(local / "coverage.data")
    return ["-o", f"cache_dir={local / 'pytest'}"]


def _coverage(shop: Workshop) -> list[str]:
    report = shop.places.local / "coverage"
    return [
        *("--cov", f"--cov-report=html:{report}", "--cov-report="),
        f"--cov-fail-under={COVERAGE_FLOOR}",
    ]
