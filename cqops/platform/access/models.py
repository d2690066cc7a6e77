from __future__ import annotations

import uuid
from functools import cached_property
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.models import Session
from django.db import models
from django_otp.models import Device, ThrottlingMixin

from cqops.platform.access.policy import Action, Role, may
from cqops.platform.access.scopes import Grant, Scope


class Theme(models.TextChoices):
    SYSTEM = "system", "As the system"
    LIGHT = "light", "Light"
    DARK = "dark", "Dark"


class User(AbstractUser):
    """A person or a program. Powers come from roles alone; Django's own flags grant nothing."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    time_zone = models.CharField(max_length=64, default="UTC")
    theme = models.CharField(max_length=6, choices=Theme, default=Theme.SYSTEM)

    # What a token narrows its owner down to; nobody is narrowed who came in by the front door.
    token_scopes: frozenset[str] | None = None

    @cached_property
    def grants(self) -> tuple[Grant, ...]:
        rows = self.role_grants.values_list("role", "scope", "scope_id")
        return tuple(Grant(*row) for row in rows)

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(grant.role for grant in self.grants)

    @property
    def name(self) -> str:
        return self.get_full_name() or self.username

    def has_perm(self, perm: str, obj: Any = None) -> bool:  # noqa: ARG002
        """Answer Django's admin from the same table as every other door."""
        return may(self, admin_action(perm))

    def has_module_perms(self, app_label: str) -> bool:  # noqa: ARG002
        return any(
            may(self, action) for action in (Action.REGISTRY_VIEW, Action.VENUE_VIEW)
        ) or may(self, Action.PEOPLE_VIEW)


def admin_action(perm: str) -> Action | str:
    """Translate `app.verb_model` into an action of the policy; unknown ones are refused."""
    app_label, _, codename = perm.partition(".")
    kind = "view" if codename.startswith("view") else "edit"
    areas = {
        "approvals": "approval",
        "assets": "registry",
        "venues": "venue",
        "access": "people",
        "axes": "people",
        "django_celery_beat": "schedule",
    }
    if app_label in {"trading", "portfolio"}:
        return Action.ORDER_VIEW if kind == "view" else "history.edit"
    return f"{areas.get(app_label, app_label)}.{kind}"


class RoleGrant(models.Model):
    """A role somebody has, for the whole desk or for one part of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="role_grants"
    )
    role = models.CharField(max_length=16, choices=[(r.value, r.value.title()) for r in Role])
    scope = models.CharField(
        max_length=9, choices=[(s.value, s.value.title()) for s in Scope], default=Scope.DESK
    )
    scope_id = models.UUIDField(
        null=True, blank=True, help_text="Which venue, account or portfolio; empty for the desk."
    )
    granted_at = models.DateTimeField(auto_now_add=True)
    # Empty only where there was nobody yet to grant it: the demo data and the first admin.
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="grants_given"
    )
    # What a second person agreed to; empty like the one above, and for grants from before.
    approval = models.ForeignKey(
        "approvals.Request", on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role", "scope", "scope_id"],
                nulls_distinct=False,
                name="role_granted_once",
            ),
            models.CheckConstraint(
                condition=models.Q(scope="desk", scope_id=None)
                | (
                    models.Q(scope__in=["venue", "account", "portfolio"])
                    & models.Q(scope_id__isnull=False)
                ),
                name="grant_names_its_part",
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=[r.value for r in Role]), name="role_known"
            ),
        ]

    def __str__(self) -> str:
        where = "" if self.scope == Scope.DESK else f" for {self.scope} {self.scope_id}"
        return f"{self.user} is {self.role}{where}"


class ApiToken(models.Model):
    """A program's key to the REST API and the socket. Only its SHA-256 is stored.

    It may do what it names and its owner may, never more: a token without scopes may do nothing. One
    that may do more than read opens nothing before a second person agreed, which `released_at` says.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=64), default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="token_name_once_a_user")
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"


class DeskSession(models.Model):
    """A browser somebody is signed in with. It ends with the session behind it, and ends it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.OneToOneField(Session, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="desk_sessions"
    )
    device = models.CharField(max_length=80)
    address = models.GenericIPAddressField(null=True)
    signed_in_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ["-seen_at"]

    def __str__(self) -> str:
        return f"{self.user} with {self.device}"


class Authenticator(ThrottlingMixin, Device):  # type: ignore[misc]
    """The app that makes somebody's one-time codes. Its seed is sealed like a venue key."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="authenticator"
    )
    sealed_seed = models.BinaryField(editable=False)
    # The step of the last code taken: a code opens one door once.
    last_step = models.BigIntegerField(default=-1, editable=False)
    enrolled_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return f"second factor of {self.user}"

    def get_throttle_factor(self) -> float:
        """Wait one second after the first wrong code, and twice as long after each further one."""
        return 1.0


class BackupCode(models.Model):
    """A code on paper for the day the phone is gone. Stored as a hash, good once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="backup_codes"
    )
    digest = models.CharField(max_length=128, editable=False)
    used_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return f"backup code of {self.user}"
