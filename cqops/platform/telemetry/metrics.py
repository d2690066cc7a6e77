"""Metrics of this process, on a port of its own.

What the platform counts stands here; apps count beside their own code. What has to be looked up when
somebody asks, such as orders by state, comes from providers named in `settings.METRICS_PROVIDERS`
for the process that answers for it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.db import DatabaseError, connections
from django.utils.module_loading import import_string
from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    multiprocess,
    start_http_server,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

log = logging.getLogger(__name__)
# Added to METRICS_PORT, for every process there is.
_PROCESSES = ("web", "live", "worker", "beat", "feeds", "reports", "relay", "simulator")
PORTS = {process: number for number, process in enumerate(_PROCESSES)}
MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"

REQUESTS = Histogram(
    "cqops_request_seconds", "Requests answered, by route.", ["route", "method", "status"]
)
TASKS = Histogram("cqops_task_seconds", "Tasks run by this worker.", ["task", "state"])
SOCKETS = Gauge("cqops_live_sockets", "Live sockets open now.", multiprocess_mode="livesum")
COALESCED = Counter(
    "cqops_live_coalesced_frames", "States a slow page never saw, as newer ones replaced them."
)
SPANS_DROPPED = Counter(
    "cqops_spans_dropped", "Spans that no collector took, or that found the queue full."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One number that is looked up when somebody asks."""

    name: str
    what: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


Provider = Callable[[], Iterable[Reading]]


class LookedUp(Collector):
    """Asks the providers of this process; one that fails leaves the others standing."""

    def __init__(self, providers: Iterable[str]) -> None:
        self._providers = tuple(providers)

    def describe(self) -> list[GaugeMetricFamily]:
        """Name nothing ahead: looking up needs a database that may be away at the start."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        families: dict[str, GaugeMetricFamily] = {}
        try:
            for path in self._providers:
                self._add(path, families)
        finally:
            # The thread that answers ends with the answer, and must keep no connection.
            connections.close_all()
        yield from families.values()

    def _add(self, path: str, families: dict[str, GaugeMetricFamily]) -> None:
        provider: Provider = import_string(path)
        try:
            readings = list(provider())
        except (DatabaseError, RedisError, OSError) as error:
            log.warning("metrics of %s could not be read: %s", path, error)
            return
        for one in readings:
            if one.name not in families:
                families[one.name] = GaugeMetricFamily(one.name, one.what, labels=list(one.labels))
            families[one.name].add_metric(list(one.labels.values()), one.value)


def serve(process: str) -> int | None:
    """Answer for this process; a port that is taken costs the metrics and nothing else."""
    if process not in PORTS or not settings.METRICS_PORT:
        return None
    port: int = settings.METRICS_PORT + PORTS[process]
    address = "127.0.0.1" if settings.LOCAL else "0.0.0.0"  # noqa: S104 -- inside its own network
    try:
        start_http_server(port, addr=address, registry=registry_of(process))
    except OSError as error:
        log.warning("no metrics of %s: port %s cannot be had (%s)", process, port, error.strerror)
        return None
    return port


def registry_of(process: str) -> CollectorRegistry:
    """Put together what this process answers; workers of one server answer for each other."""
    registry = REGISTRY
    if MULTIPROCESS in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    providers = settings.METRICS_PROVIDERS.get(process, [])
    if providers:
        registry.register(LookedUp(providers))
    return registry
