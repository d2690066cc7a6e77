"""The commands behind the Makefile: `python -m cqops.platform.local <command>`."""

import importlib
import os
import sys

from cqops.platform.local.places import places_from
from cqops.platform.local.refusal import Refusal

COMMANDS = ("run", "test", "seed", "bench", "browser", "clean", "image_static")


def main(arguments: list[str]) -> int:
    """Run one command; a refusal is a sentence and an exit code, never a traceback."""
    name, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if name not in COMMANDS:
        print(f"One of these is expected: {', '.join(COMMANDS)}.", file=sys.stderr)
        return 2
    try:
        # by name, because `clean` must work where nothing is installed yet
        module = importlib.import_module(f"cqops.platform.local.commands.{name}")
        status: int = module.main(places_from(os.environ), os.environ, rest)
    except Refusal as refusal:
        print(f"\n{refusal}", file=sys.stderr)
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
