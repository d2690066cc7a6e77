"""How each venue is doing, for programs: the figures of the venue page."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from cqops.platform.access.policy import Action
from cqops.platform.access.rest import caller
from venues.models import Venue
from venues.services.readings import Calls
from venues.services.standing import Standing, Told, standing_of, standings


class CallsView(serializers.Serializer[Calls]):
    operation = serializers.CharField()
    calls = serializers.IntegerField(source="count")
    p50_ms = serializers.FloatField(allow_null=True)
    p99_ms = serializers.FloatField(allow_null=True)
    error_percent = serializers.FloatField()


class ToldView(serializers.Serializer[Told]):
    name = serializers.CharField(source="said.name")
    of = serializers.CharField(source="whose", help_text="An account, or public.")
    process = serializers.CharField(source="said.process")
    value = serializers.FloatField(source="said.value")
    words = serializers.CharField(source="said.words")
    age_seconds = serializers.FloatField()


class HealthView(serializers.Serializer[Any]):
    asked_at = serializers.DateTimeField()
    latency_ms = serializers.FloatField(allow_null=True)
    offset_ms = serializers.FloatField(allow_null=True, help_text="Its clock less ours.")
    words = serializers.CharField()


class DriftView(serializers.Serializer[Any]):
    kind = serializers.CharField()
    place = serializers.CharField()
    value = serializers.CharField()
    count = serializers.IntegerField()
    first_seen = serializers.DateTimeField()
    last_seen = serializers.DateTimeField()
    is_known = serializers.BooleanField()
    note = serializers.CharField()
    version = serializers.CharField()


class MaintenanceView(serializers.Serializer[Any]):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    note = serializers.CharField()


class VenueView(serializers.Serializer[Standing]):
    venue = serializers.SlugField(source="venue.slug")
    name = serializers.CharField(source="venue.name")
    state = serializers.CharField(help_text="up, down, not_checked, or off.")
    health = HealthView(allow_null=True)
    calls = CallsView(many=True, allow_null=True, help_text="null while Redis is away.")
    budgets = ToldView(many=True)
    breakers = ToldView(many=True)
    streams = ToldView(many=True)
    maintenance = MaintenanceView(many=True)
    drift = DriftView(many=True)
    bytes_today = serializers.IntegerField()


class Venues(APIView):
    actions = {"GET": Action.MARKET_VIEW}

    @extend_schema(responses=VenueView(many=True))
    def get(self, request: Request) -> Response:
        """List every venue and how it is doing, from what all processes wrote down."""
        found = standings(by=caller(request), now=timezone.now())
        return Response(VenueView(found, many=True).data)  # type: ignore[arg-type]


class OneVenue(APIView):
    actions = {"GET": Action.MARKET_VIEW}

    @extend_schema(responses=VenueView)
    def get(self, request: Request, venue: str) -> Response:
        """Tell how one venue is doing."""
        found = Venue.objects.filter(slug=venue).first()
        if found is None:
            raise Http404
        return Response(VenueView(standing_of(found, by=caller(request), now=timezone.now())).data)
