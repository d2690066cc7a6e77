"""How large each venue's adapter is, and that none grows into a framework of its own.

Lines are counted as statements, docstrings left out, so that neither layout nor comments move the
number; lines of code, as they stand in the files, are printed beside it. What two venues do the same
way belongs in `venues/adapters/kit`.
"""

import ast
import io
import sys
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from checks.tools import ROOT

LIMIT = 500
FOLDER = ROOT / "venues" / "adapters"

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_NO_CODE = frozenset(
    {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
)


@dataclass(frozen=True, kw_only=True)
class Size:
    """One adapter: its name, its statements and the lines of code they take."""

    name: str
    statements: int
    lines: int

    def __str__(self) -> str:
        return f"{self.name:<20} {self.statements:>4} statements  {self.lines:>4} lines of code"


def _docstrings(tree: ast.Module) -> Iterator[ast.stmt]:
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            yield node.body[0]


def statements(source: str) -> int:
    """Count every statement, those inside others too, except docstrings."""
    tree = ast.parse(source)
    left_out = {id(node) for node in _docstrings(tree)}
    return sum(isinstance(node, ast.stmt) and id(node) not in left_out for node in ast.walk(tree))


def code_lines(source: str) -> int:
    """Count the lines that hold code: no blank ones, comments or docstrings."""
    found: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            found.update(range(token.start[0], token.end[0] + 1))
    for node in _docstrings(ast.parse(source)):
        found.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(found)


def sizes(folder: Path = FOLDER) -> Iterator[Size]:
    """Measure each folder but the kit, which belongs to all of them, and the template."""
    for one in sorted(folder.iterdir()):
        sources = [path.read_text(encoding="utf-8") for path in sorted(one.glob("*.py"))]
        if sources and one.name not in {"kit", "_template"}:
            yield Size(
                name=one.name,
                statements=sum(map(statements, sources)),
                lines=sum(map(code_lines, sources)),
            )


def problems(found: Iterable[Size]) -> Iterator[str]:
    for size in found:
        if size.statements >= LIMIT:
            yield f"{size} (under {LIMIT})"


def check() -> tuple[bool, str]:
    found = list(problems(sizes()))
    return not found, "\n".join(found)


def main() -> int:
    measured = list(sizes())
    for size in measured:
        print(size, "" if size.statements < LIMIT else f" over the limit of {LIMIT}")
    return 1 if list(problems(measured)) else 0


if __name__ == "__main__":
    sys.exit(main())
