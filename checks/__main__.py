"""`make check`: everything that can be judged without running the product, one line a step."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from checks import adapters, capabilities, deployment, locks, sizes, templates, words
from checks.tools import PRODUCT, python, run, tool
from cqops.platform.local.own_servers import Workshop, workshop
from cqops.platform.local.places import places_from
from cqops.platform.local.refusal import Refusal

Outcome = tuple[bool, str]
# Not the tests, whose arguments are fixtures, and not the benchmarks, which reach behind the types.
TYPED_TOO = ("checks", "examples")


@dataclass(frozen=True)
class Step:
    """One judgement and the name it is reported under."""

    name: str
    judge: Callable[[], Outcome]


def steps(environment: Mapping[str, str], caches: str) -> Iterator[Step]:
    """List the judgements, the quick ones first."""

    def command(name: str, words: list[str]) -> Step:
        return Step(name, lambda: run(words, environment))

    yield command("lint (ruff)", python("-m", "ruff", "check", "--quiet", "."))
    yield command("layout (ruff)", python("-m", "ruff", "format", "--check", "--quiet", "."))
    yield Step("no second ways (words)", words.check)
    yield Step(f"modules under {sizes.LIMIT + 1} lines", sizes.check)
    yield Step(f"adapters under {adapters.LIMIT} statements", adapters.check)
    yield Step("docs say what the venues can do", capabilities.check)
    yield Step("locks fresh, hashed, no addresses", locks.check)
    yield command("locked packages agree (pip check)", python("-m", "pip", "check"))
    yield Step("template layout (djhtml)", lambda: templates.layout(environment))
    yield Step("template rules (djlint)", lambda: templates.rules(environment))
    yield command("import contracts", tool("lint-imports", "--cache-dir", f"{caches}/imports"))
    yield command("types (mypy)", python("-m", "mypy", *PRODUCT, *TYPED_TOO))
    yield command("no missing migration", python("manage.py", "makemigrations", "--check"))
    yield command("migrations up, down, up", python("-m", "checks.migrations"))
    yield Step("production shape (check --deploy)", lambda: deployment.check(environment))


def main() -> int:
    try:
        with workshop(places_from(os.environ), os.environ, name="check") as shop:
            return _judge(shop)
    except Refusal as refusal:
        print(f"\n{refusal}", file=sys.stderr)
        return 1


def _judge(shop: Workshop) -> int:
    """Take every step, whatever the others say, and name the ones that failed."""
    caches = str(shop.places.local)
    shop.environment["MYPY_CACHE_DIR"] = f"{caches}/mypy"
    shop.environment["RUFF_CACHE_DIR"] = f"{caches}/ruff"
    failed = []
    for step in steps(shop.environment, caches):
        began = time.monotonic()
        is_fine, output = step.judge()
        word = "ok  " if is_fine else "FAIL"
        print(f"{word} {step.name} ({time.monotonic() - began:.1f} s)", flush=True)
        if not is_fine:
            failed.append(step.name)
            print("\n".join(f"     {line}" for line in output.splitlines()), flush=True)
        shop.supervisor.pause(0)
    print(f"FAILED: {', '.join(failed)}" if failed else "Every check passed.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
