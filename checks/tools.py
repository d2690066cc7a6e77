"""What several checks share: where things are, and how a tool is run."""

import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ("assets", "cqops", "portfolio", "trading", "venues")
FRONT = ("templates", "static")


def run(words: Iterable[str], environment: Mapping[str, str]) -> tuple[bool, str]:
    """Run a command in the checkout; say whether it was content, and what it printed."""
    outcome = subprocess.run(
        list(words),
        cwd=ROOT,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return outcome.returncode == 0, (outcome.stdout + outcome.stderr).strip()


def python(*words: str) -> list[str]:
    """Write a command for the Python this runs in, never for one that PATH happens to hold."""
    return [sys.executable, *words]


def tool(name: str, *words: str) -> list[str]:
    """Write a command for a tool that has no module to run, from the same environment."""
    return [str(Path(sys.executable).parent / name), *words]


def product_files(*suffixes: str, folders: Iterable[str] = PRODUCT) -> Iterator[Path]:
    """List the product's own files of some kinds, caches left out."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in suffixes and "__pycache__" not in path.parts and path.is_file():
                yield path
