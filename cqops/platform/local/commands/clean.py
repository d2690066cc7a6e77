"""`make clean`: take away what the other commands made, and nothing else.

Runs on a bare Python too, so nothing that has to be installed is imported at the top.
"""

import importlib.util
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from cqops.platform.local.lock import is_held
from cqops.platform.local.places import Places
from cqops.platform.local.refusal import Refusal
from cqops.platform.local.store import BASE, Store


def main(
    places: Places, _environ: Mapping[str, str], _arguments: Sequence[str], base: Path = BASE
) -> int:
    local, environment = places.checkout / ".local", places.checkout / ".venv"
    _refuse_while_running(local)
    if importlib.util.find_spec("psutil") is not None:
        _refuse_while_used(places.checkout)
        _end_leftovers(local)
    removed = list(_remove_folder(local))
    if os.geteuid() == 0:
        removed += Store(places.checkout, base).remove_desks_of(local)
    removed += _remove_folder(environment)
    for path in removed:
        print(f"Removed {path}")
    if not removed:
        print("There was nothing to remove.")
    return 0


def _refuse_while_running(local: Path) -> None:
    for lock in _nested(local, "lock"):
        if is_held(lock):
            message = f"Something still runs in {lock.parent}. Stop it first (Ctrl-C, or kill it)."
            raise Refusal(message)


def _refuse_while_used(checkout: Path) -> None:
    """Find desks of this checkout that keep their files elsewhere: they run from its .venv."""
    import psutil  # noqa: PLC0415 - not there on a bare Python, where nothing runs either

    for process in psutil.process_iter(["cmdline", "cwd"]):
        words = process.info["cmdline"] or []
        here = process.info["cwd"] == str(checkout) and process.pid != os.getpid()
        if here and words[1:3] == ["-m", "cqops.platform.local"]:
            message = f"`{' '.join(words[2:])}` still runs (process {process.pid}). Stop it first."
            raise Refusal(message)


def _end_leftovers(local: Path) -> None:
    """End what a killed supervisor left, before its files go."""
    from cqops.platform.local.ledger import Ledger  # noqa: PLC0415 - needs psutil

    for path in _nested(local, "processes.json"):
        Ledger(path).end_leftovers()


def _nested(local: Path, name: str) -> Iterator[Path]:
    """Find a file of each desk: the demo's, those of tests, and those that tests start."""
    for pattern in (name, f"*/{name}", f"*/*/{name}"):
        yield from local.glob(pattern)


def _remove_folder(folder: Path) -> Iterator[Path]:
    if folder.is_symlink():  # someone's own arrangement: the link goes, what it names stays
        folder.unlink()
        yield folder
    elif folder.exists():
        shutil.rmtree(folder)
        yield folder
