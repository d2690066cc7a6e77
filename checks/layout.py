"""`make fmt`: lay out code and templates, and mend what can be mended without judgement."""

import os
import sys

from checks.tools import FRONT, ROOT, python, run


def main() -> int:
    worst = 0
    commands = [
        python("-m", "ruff", "check", "--fix", "--quiet", "."),
        python("-m", "ruff", "format", "."),
    ]
    if any((ROOT / FRONT[0]).rglob("*.html")):
        commands.append(python("-m", "djhtml", "--tabwidth", "2", FRONT[0]))
    for command in commands:
        is_fine, output = run(command, os.environ)
        print(output or f"{command[2]}: nothing to say")
        worst = worst or (0 if is_fine else 1)
    return worst


if __name__ == "__main__":
    sys.exit(main())
