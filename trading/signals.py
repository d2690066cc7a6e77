"""The one signal: executions were recorded and committed."""

from __future__ import annotations

from django.dispatch import Signal

executions_recorded = Signal()
