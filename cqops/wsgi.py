"""Pages and REST for WSGI workers; sockets are served by `cqops.asgi`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cqops.settings")
# The workers of one server share their numbers, so that any of them answers for all. The place has
# to be known before the first metric is made.
_shared = Path(tempfile.gettempdir()) / f"cqops-metrics-{os.getppid()}"
_shared.mkdir(mode=0o700, exist_ok=True)
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(_shared))
django.setup()

from django.core.wsgi import get_wsgi_application

from assets.hot import lookups
from cqops.platform.installation.services import verify_or_exit
from cqops.platform.telemetry.heartbeats import keep_beating
from cqops.platform.telemetry.metrics import serve
from cqops.platform.telemetry.ops import started
from cqops.platform.telemetry.spans import name_process

verify_or_exit()
serve("web")
name_process("web")
started("web")
keep_beating("web")
lookups.start()

application = get_wsgi_application()
