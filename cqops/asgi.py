"""Pages, REST and sockets under one ASGI application."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cqops.settings")
django.setup()

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.urls import path

from assets.hot import lookups
from assets.hot.doors import HotReads
from cqops.platform.access.sockets import TokenOrSession
from cqops.platform.installation.services import verify_or_exit
from cqops.platform.live.consumers import LiveConsumer
from cqops.platform.telemetry.heartbeats import keep_beating
from cqops.platform.telemetry.metrics import serve
from cqops.platform.telemetry.ops import started
from cqops.platform.telemetry.spans import name_process

verify_or_exit()
# One process serves everything on a local desk; elsewhere this is the one with the sockets.
serves = ["web", "live"] if settings.LOCAL else ["live"]
serve(serves[0])
name_process(serves[0])
started(serves[0])
keep_beating(*serves)
lookups.start()

sockets = URLRouter([path("ws/live/", LiveConsumer.as_asgi())])
application = ProtocolTypeRouter(
    {
        "http": HotReads(get_asgi_application()),
        "websocket": TokenOrSession(
            by_session=AllowedHostsOriginValidator(AuthMiddlewareStack(sockets)),
            by_token=sockets,
        ),
    }
)
