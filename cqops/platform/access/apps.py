from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class AccessConfig(AppConfig):
    name = "cqops.platform.access"
    verbose_name = "People and access"
    default = True

    def ready(self) -> None:
        from cqops.platform.access import receivers, sessions
        from cqops.platform.access.second_factor import refuse_unknown_roles

        refuse_unknown_roles()
        sessions.connect()
        receivers.connect()


class DeskAdmin(AdminConfig):
    """Django's admin, on a site that asks the desk's policy."""

    default = False
    default_site = "cqops.platform.access.admin_site.DeskAdminSite"
