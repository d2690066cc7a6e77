"""The judgements that need no server, for the moment before a commit."""

import sys

from checks import locks, sizes, words


def main() -> int:
    outcomes = [check() for check in (words.check, sizes.check, locks.check)]
    for is_fine, output in outcomes:
        if not is_fine:
            print(output)
    return 0 if all(is_fine for is_fine, _ in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
