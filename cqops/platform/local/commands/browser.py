"""`make browser`: install Debian's Chromium for the browser tests."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence

from cqops.platform.local.browser import find
from cqops.platform.local.places import Places
from cqops.platform.local.refusal import Refusal

PACKAGES = ("chromium", "fonts-liberation")


def main(_places: Places, environ: Mapping[str, str], _arguments: Sequence[str]) -> int:
    found = find(environ)
    if found is None:
        install(environ)
        found = find(environ)
    print(f"Chromium for the browser tests: {found}")
    return 0 if found else 1


def install(environ: Mapping[str, str]) -> None:
    """Let apt install it, as root or through a sudo that asks nothing."""
    apt = shutil.which("apt-get")
    if apt is None:
        message = "Only Debian's and Ubuntu's packages are known here; name one with CHROMIUM=..."
        raise Refusal(message)
    before = [] if os.geteuid() == 0 else ["sudo", "-n"]
    print("Installing Chromium with apt-get ...", flush=True)
    quiet = {**environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
        command = [*before, apt, *words]
        try:
            outcome = subprocess.run(
                command, env=quiet, capture_output=True, text=True, check=False
            )
        except FileNotFoundError as error:
            message = f"Installing needs root and there is no {error.filename}; run it as root."
            raise Refusal(message) from error
        if outcome.returncode != 0:
            end = "\n".join((outcome.stdout + outcome.stderr).splitlines()[-8:])
            message = f"`{' '.join(command)}` failed; run it by hand to see why:\n{end}"
            raise Refusal(message)
