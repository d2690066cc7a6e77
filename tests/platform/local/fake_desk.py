"""A desk small enough to start in a moment: two processes in a folder that is no Django project.

Run as a program it is the supervisor under test; the folder it is started in is its checkout.
"""

import os
import sys
from pathlib import Path

from cqops.platform.local.desk import Desk
from cqops.platform.local.places import places_from
from cqops.platform.local.processes import Process
from cqops.platform.local.refusal import Refusal

WEB = Process(name="web", what="pages", local=("manage.py", "web", "{PORT}"), production=None)
WORKER = Process(name="worker", what="work", local=("manage.py", "worker"), production=None)

MANAGE = """
import http.server, json, os, pathlib, signal, sys, time

class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        red = pathlib.Path("red").exists()
        parts = {"worker": {"ok": not red, "detail": "has not been heard of"}}
        self.send_response(503 if red else 200)
        self.end_headers()
        self.wfile.write(json.dumps({"status": "ok", "parts": parts}).encode())

    def log_message(self, *args):
        pass

command = sys.argv[1:]
if command == ["seed", "--show-access"]:
    user = {"username": "tess", "password": "open sesame", "role": "trader", "what": "trades"}
    print(json.dumps({"users": [user], "token": "cq-token"}))
elif command[0] == "migrate" and pathlib.Path("broken").exists():
    sys.exit("no such column: colour")
elif command[0] == "web":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(command[1])), Page)
    server.serve_forever()
elif command[0] == "worker":
    if pathlib.Path("stubborn").exists():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pathlib.Path("environment").write_text(json.dumps(dict(os.environ)))
    print("working", flush=True)
    time.sleep(3600)
"""


def main() -> int:
    checkout = Path.cwd()
    try:
        return Desk(
            places_from(os.environ, checkout=checkout), os.environ, processes=[WEB, WORKER]
        ).run()
    except Refusal as refusal:
        sys.stderr.write(f"\n{refusal}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
