"""The system account PostgreSQL runs under when the desk is started by root.

PostgreSQL refuses to run as root. Nobody else's account is borrowed and no existing folder is
opened up for it: the account is made once, and its data lies where it can reach it anyway.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from cqops.platform.local.refusal import Refusal

NAME = "cqops-postgres"


@dataclass(frozen=True, kw_only=True)
class Account:
    """A system account by its numbers."""

    name: str
    uid: int
    gid: int


def postgres_account(say: Callable[[str], None]) -> Account | None:
    """Return the account PostgreSQL needs, made if missing; an ordinary user needs none."""
    if os.geteuid() != 0:
        return None
    return _find() or _create(say)


def _find() -> Account | None:
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        return None
    return Account(name=NAME, uid=entry.pw_uid, gid=entry.pw_gid)


def _create(say: Callable[[str], None]) -> Account:
    program = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    nologin = shutil.which("nologin", path="/usr/sbin:/sbin:/usr/bin:/bin") or "/bin/false"
    if program is None:
        message = (
            "PostgreSQL does not run as root and there is no useradd to make it an account of its"
            " own. Run make as an ordinary user, or point DATABASE_URL at a server you have."
        )
        raise Refusal(message)
    command = [program, "--system", "--user-group", "--no-create-home", "--shell", nologin, NAME]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    found = _find()
    if found is None:
        message = (
            f"The system account {NAME} could not be made ({outcome.stderr.strip()}). PostgreSQL"
            " does not run as root: run make as an ordinary user, or set DATABASE_URL."
        )
        raise Refusal(message)
    say(f"made the system account {NAME}: PostgreSQL does not run as root")
    return found
