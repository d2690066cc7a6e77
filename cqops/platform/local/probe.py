"""Health of one container: `python -m cqops.platform.local.probe <host:port> [part]`.

Without a part, the server there answers at all. With one, the desk's status page has to call that
part well: a process without a port of its own is judged by the heartbeat it leaves.
"""

import http.client
import json
import os
import sys

TIMEOUT = 5.0
SERVER_ERRORS = 500


def main(arguments: list[str]) -> int:
    address, part = arguments[0], arguments[1] if len(arguments) > 1 else None
    path = "/statusz" if part else "/healthz"
    # what the reverse proxy would send, so that neither host check nor https redirect is in the way
    hosts = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")
    headers = {"Host": hosts[0].strip().lstrip("."), "X-Forwarded-Proto": "https"}
    connection = http.client.HTTPConnection(address, timeout=TIMEOUT)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        print(f"{address} does not answer: {error}")
        return 1
    finally:
        connection.close()
    return _judge(answer.status, body, part)


def _judge(status: int, body: bytes, part: str | None) -> int:
    if part is None:
        print(f"answers {status}")
        return 0 if status < SERVER_ERRORS else 1
    try:
        found = json.loads(body)["parts"][part]
        print(f"{part}: {found['detail']}")
        return 0 if found["ok"] else 1
    except (ValueError, KeyError, TypeError):
        print(f"the status page says nothing about {part}")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
