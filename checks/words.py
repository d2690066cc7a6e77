"""No second way of doing things is kept alive in product code.

A venue's own vocabulary may contain these words; `allowed_words.txt` names each such file with
its reason, and a line there that no longer applies fails as well.
"""

import fnmatch
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from checks.tools import FRONT, PRODUCT, ROOT, product_files

WORDS = re.compile(r"shim|feature_?flag|legacy", re.IGNORECASE)
ALLOWED = ROOT / "checks" / "allowed_words.txt"
SUFFIXES = (".py", ".html", ".js", ".css", ".txt")


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """One file that may use one word, and why."""

    pattern: str
    word: str
    reason: str

    def covers(self, path: str, word: str) -> bool:
        return self.word == word.lower() and fnmatch.fnmatch(path, self.pattern)


def allowances(text: str) -> list[Allowance]:
    """Read the allow-list: `path | word | reason`, with # for comments."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = [part.strip() for part in line.split("|")]
        if len(parts) != 3 or not all(parts):  # noqa: PLR2004
            message = f"{ALLOWED.name}:{number}: `path | word | reason` is expected"
            raise ValueError(message)
        found.append(Allowance(pattern=parts[0], word=parts[1].lower(), reason=parts[2]))
    return found


def problems(files: Iterable[tuple[str, str]], allowed: list[Allowance]) -> Iterator[str]:
    """Report each forbidden word, and each allowance nobody needs."""
    used = set()
    for path, text in files:
        for number, line in enumerate(text.splitlines(), start=1):
            for match in WORDS.finditer(line):
                covering = [one for one in allowed if one.covers(path, match.group())]
                used.update(covering)
                if not covering:
                    yield f"{path}:{number}: {match.group()!r}: {line.strip()[:80]}"
    for one in allowed:
        if one not in used:
            yield f"{ALLOWED.name}: {one.pattern} | {one.word} is not needed any more"


def check() -> tuple[bool, str]:
    allowed = allowances(ALLOWED.read_text(encoding="utf-8"))
    files = ((_shown(path), _text(path)) for path in product_files(*SUFFIXES, folders=_folders()))
    found = list(problems(files, allowed))
    return not found, "\n".join(found)


def _folders() -> tuple[str, ...]:
    return PRODUCT + FRONT


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
