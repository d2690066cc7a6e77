"""Who is acting, and through which door: known here once, so that no service has to be told.

The middleware enters it for requests, Celery's signals for tasks, `manage.py` for commands and the
long-running processes. What a service passes as `by` wins over what is known here.
"""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any


class Door(StrEnum):
    PAGE = "page"
    API = "api"
    ADMIN = "admin"
    TASK = "task"
    COMMAND = "command"
    SOCKET = "socket"
    PROCESS = "process"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The door, and which page, task, command or process stands behind it.

    The request is asked for its person late: a program is known only once its token was read.
    """

    door: Door
    origin: str = ""
    person: Any = None
    request: Any = field(default=None, repr=False)
    who: str = ""
    request_id: str = ""

    def actor(self) -> Any:
        """Return the person behind this, if there is one."""
        found = self.person or getattr(self.request, "user", None)
        return found if found is not None and found.is_authenticated else None


_current: ContextVar[Context | None] = ContextVar("audit_context", default=None)
# The commands that run until told are processes of the desk, and not somebody's command.
PROCESSES = frozenset({"feeds", "reports", "relay", "simulator"})


def current() -> Context:
    return _current.get() or _process


@contextmanager
def entering(context: Context) -> Iterator[None]:
    """Act in this context until the end of the block."""
    token = enter(context)
    try:
        yield
    finally:
        _current.reset(token)


def enter(context: Context) -> Token[Context | None]:
    return _current.set(context)


def leave() -> None:
    """Forget the context, where no token can be carried from entering to leaving."""
    _current.set(None)


def this_process(words: list[str]) -> Context:
    """Tell from a command line what this process is."""
    program = Path(words[0]).name if words else "python"
    command = words[1] if program == "manage.py" and len(words) > 1 else ""
    if command and command not in PROCESSES:
        return Context(door=Door.COMMAND, origin=f"manage.py {command}", who=_account())
    return Context(door=Door.PROCESS, origin=command or program)


def _account() -> str:
    """Name the system account; a container may have none by name."""
    try:
        return f"{getpass.getuser()} (system account)"
    except (OSError, KeyError):
        return f"account {os.getuid()} (system account)"


_process = this_process(sys.argv)
