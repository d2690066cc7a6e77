"""Ask /statusz whether every part of the desk is green, and which is not."""

import http.client
import json
from dataclasses import dataclass, field

from cqops.platform.local.ports import LOOPBACK

TIMEOUT = 5.0


@dataclass(frozen=True, kw_only=True)
class Status:
    """What the desk said about itself."""

    is_green: bool
    waiting_for: list[str] = field(default_factory=list)


def ask(port: int) -> Status:
    """Read the status page once; a desk that does not answer yet is simply not green."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=TIMEOUT)
    try:
        connection.request("GET", "/statusz", headers={"Host": "localhost"})
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException):
        return Status(is_green=False, waiting_for=["web: does not answer yet"])
    finally:
        connection.close()
    return _read(answer.status, body)


def _read(code: int, body: bytes) -> Status:
    try:
        parts = json.loads(body)["parts"]
        bad = [f"{name}: {part['detail']}" for name, part in parts.items() if not part["ok"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        bad = []
    if code == http.client.OK:
        return Status(is_green=True)
    return Status(is_green=False, waiting_for=bad or [f"web: /statusz answers {code}"])
