"""`make bench`: benchmarks on servers of their own, durable like real ones."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from cqops.platform.local.own_servers import workshop
from cqops.platform.local.places import Places
from cqops.platform.local.processes import MIGRATE
from cqops.platform.local.refusal import Refusal

FOLDER = "benchmarks"


def main(places: Places, environ: Mapping[str, str], arguments: Sequence[str]) -> int:
    names = _choose(_names(places.checkout / FOLDER), environ.get("ONLY", ""))
    if not names:
        print(f"There are no benchmarks yet; each module in {FOLDER}/ is one.")
        return 0
    with workshop(places, environ, name="bench", durable=True) as shop:
        worst = shop.run_python(*MIGRATE, "--verbosity", "0")
        for name in names if worst == 0 else ():
            print(f"\n== {name}", flush=True)
            worst = max(worst, shop.run_python("-m", f"{FOLDER}.{name}", *arguments))
    return worst


def _names(folder: Path) -> list[str]:
    """List the benchmarks; a module with a leading underscore is shared by some of them."""
    return sorted(path.stem for path in folder.glob("[!_]*.py"))


def _choose(names: list[str], only: str) -> list[str]:
    if only and only not in names:
        known = ", ".join(names) or "none yet"
        message = f"There is no benchmark {only!r}. Known: {known}."
        raise Refusal(message)
    return [only] if only else names
