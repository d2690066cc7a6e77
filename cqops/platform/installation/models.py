from __future__ import annotations

from django.db import models


class Environment(models.TextChoices):
    SIMULATED = "SIMULATED", "Simulated"
    SANDBOX = "SANDBOX", "Sandbox"
    LIVE = "LIVE", "Live"


class Installation(models.Model):
    """What this database is for, written once.

    Venues, accounts and credentials refer to this row, so the database itself refuses any that
    belong to another kind of installation.
    """

    environment = models.CharField(max_length=9, choices=Environment, primary_key=True)
    created_at = models.DateTimeField(auto_now_add=True)
    only_one = models.BooleanField(default=True, unique=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(only_one=True), name="installation_is_the_only_one"
            ),
            models.CheckConstraint(
                condition=models.Q(environment__in=Environment.values),
                name="installation_environment_known",
            ),
        ]

    def __str__(self) -> str:
        return self.environment
