"""`make seed`: the demo data in place, beside a running desk or without one."""

import subprocess
import sys
from collections.abc import Mapping, Sequence

from cqops.platform.local.desk import Desk
from cqops.platform.local.environment import children_environment, read_environment_file
from cqops.platform.local.lock import is_held
from cqops.platform.local.places import Places
from cqops.platform.local.processes import SEED


def main(places: Places, environ: Mapping[str, str], _arguments: Sequence[str]) -> int:
    if not is_held(places.lock_file):
        return Desk(places, environ).seed()
    # Named one by one: left to look for them, manage.py would take an .env meant for compose.
    desk = children_environment(read_environment_file(places), environ)
    outcome = subprocess.run([sys.executable, *SEED], cwd=places.checkout, env=desk, check=False)
    if outcome.returncode == 0:
        print("The demo data is in place, in the running desk.")
    return outcome.returncode
