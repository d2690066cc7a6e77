from __future__ import annotations

from django.db import models


class Heartbeat(models.Model):
    """When each process last said that it works."""

    process = models.CharField(max_length=32, primary_key=True)
    at = models.DateTimeField()
    detail = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.process} at {self.at:%H:%M:%S}"
