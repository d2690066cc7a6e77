"""`make audit`: look the locked versions up in the vulnerability database.

pip-audit says "No known vulnerabilities" also when it reached nobody, so its machine-readable
answer is read instead: only packages it names as looked up count.
"""

import json
import os
import sys
from typing import TypedDict

from checks.locks import LOCKS
from checks.tools import python, run


class Hole(TypedDict):
    """A known vulnerability."""

    id: str


class Package(TypedDict, total=False):
    """One locked version and what is known about it."""

    name: str
    version: str
    vulns: list[Hole]
    skip_reason: str


OPTIONS = ("--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off")


def main() -> int:
    return max(_audit(lock.name) for lock in LOCKS)


def _audit(name: str) -> int:
    command = python("-m", "pip_audit", *OPTIONS, "-r", name)
    _, output = run(command, os.environ)
    packages = answer(output)
    found = [one for one in packages if "skip_reason" not in one]
    if not found:
        end = "\n".join(output.splitlines()[-4:])
        print(f"{name}: NOT RUN: the vulnerability database could not be reached.\n{end[:400]}")
        return 2
    bad = [one for one in found if one.get("vulns")]
    for one in bad:
        known = ", ".join(hole["id"] for hole in one["vulns"])
        print(f"{name}: {one['name']} {one['version']}: {known}")
    print(f"{name}: {len(found)} packages looked up, {len(bad)} with known vulnerabilities.")
    unknown = [one["name"] for one in packages if "skip_reason" in one]
    if unknown:
        print(f"{name}: NOT RUN for {len(unknown)} packages: {', '.join(unknown)}")
    return 1 if bad or unknown else 0


def answer(output: str) -> list[Package]:
    """Find the list of packages in what pip-audit printed; none when it gave up."""
    for line in output.splitlines():
        try:
            packages: list[Package] = json.loads(line)["dependencies"]
        except (ValueError, KeyError, TypeError):
            continue
        return packages
    return []


if __name__ == "__main__":
    sys.exit(main())
