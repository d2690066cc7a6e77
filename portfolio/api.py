from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from cqops.platform.access.policy import Action
from cqops.platform.access.rest import caller
from cqops.platform.access.rows import allowed_rows
from portfolio.models import Break, Position, Reconciliation
from portfolio.services import break_lists
from portfolio.services.break_lists import BadCursor, Filter
from portfolio.services.reconciliation import request_reconciliation
from portfolio.services.valuation import Valued, value_all
from trading.api import AmountText
from venues.models import Account


class PositionView(serializers.Serializer[Valued]):
    portfolio = serializers.CharField(source="position.portfolio.name")
    venue = serializers.SlugField(source="position.account.venue.slug")
    account = serializers.CharField(source="position.account.name")
    asset = serializers.CharField(source="position.asset.symbol")
    quote = serializers.CharField(source="position.quote.symbol")
    quantity = AmountText(source="position.quantity")
    average_price = AmountText(source="position.average_price", allow_null=True)
    mark = AmountText(
        allow_null=True, help_text="Middle of the live book; null when none is trusted."
    )
    value = AmountText(allow_null=True)
    unrealised = AmountText(allow_null=True)
    realised = AmountText(source="position.realised")
    fees = AmountText(source="position.fees")
    updated_at = serializers.DateTimeField(source="position.updated_at")


class PositionList(serializers.Serializer[Any]):
    as_of = serializers.DateTimeField()
    results = PositionView(many=True)


class Positions(APIView):
    actions = {"GET": Action.POSITION_VIEW}

    @extend_schema(responses=PositionList)
    def get(self, request: Request) -> Response:
        """List every position with its present value."""
        now = timezone.now()
        found = allowed_rows(request.user, Action.POSITION_VIEW, Position.objects.with_names())
        rows = value_all(list(found), now=now)
        return Response({"as_of": now, "results": PositionView(rows, many=True).data})  # type: ignore[arg-type]


MOST_RUNS = 100


class ReconciliationView(serializers.ModelSerializer[Reconciliation]):
    venue = serializers.SlugField(source="account.venue.slug")
    account = serializers.CharField(source="account.name")
    triggered_by = serializers.CharField()
    outcome = serializers.CharField(help_text="clean, breaks or not_checked; empty while it runs.")

    class Meta:
        model = Reconciliation
        fields = [
            "id",
            "venue",
            "account",
            "triggered_by",
            "requested_at",
            "finished_at",
            "stage",
            "outcome",
            "words",
            "balances_compared",
            "orders_compared",
            "fills_compared",
            "breaks_open",
        ]


class BreakView(serializers.ModelSerializer[Break]):
    venue = serializers.SlugField(source="account.venue.slug")
    account = serializers.CharField(source="account.name")
    kind = serializers.CharField()
    state = serializers.CharField()
    amount = AmountText(help_text="Theirs less ours.")
    owner = serializers.CharField(source="owner.username", allow_null=True, default=None)

    class Meta:
        model = Break
        fields = [
            "id",
            "venue",
            "account",
            "kind",
            "title",
            "amount",
            "unit",
            "ours",
            "theirs",
            "state",
            "owner",
            "first_seen_at",
            "last_seen_at",
            "ended_at",
            "close_reason",
        ]


class BreakPage(serializers.Serializer[Any]):
    results = BreakView(many=True)
    next = serializers.CharField(help_text="Pass as `before` for the next page; empty at the end.")


class WhichBreaks(serializers.Serializer[Any]):
    """What a list of breaks may be asked for."""

    state = serializers.CharField(required=False, help_text="A state, or all; else what is open.")
    kind = serializers.CharField(required=False)
    account = serializers.CharField(required=False)
    owner = serializers.CharField(required=False, help_text="A user name, me or nobody.")
    age = serializers.ChoiceField(["1", "7", "30"], required=False, help_text="Days at least.")
    before = serializers.CharField(required=False, allow_blank=True, help_text="`next` of a page.")
    limit = serializers.IntegerField(required=False, min_value=1, max_value=200)


class Breaks(APIView):
    actions = {"GET": Action.RECON_VIEW}

    @extend_schema(operation_id="breaks_list", parameters=[WhichBreaks], responses=BreakPage)
    def get(self, request: Request) -> Response:
        """List breaks, newest first."""
        asked = WhichBreaks(data=request.query_params)
        asked.is_valid(raise_exception=True)
        try:
            rows, following = break_lists.page(Filter(**asked.validated_data), by=caller(request))
        except BadCursor as error:
            raise serializers.ValidationError({"before": str(error)}) from error
        return Response({"results": BreakView(rows, many=True).data, "next": following})


class WhichAccount(serializers.Serializer[Any]):
    venue = serializers.SlugField()
    account = serializers.CharField(max_length=80)


class Reconciliations(APIView):
    actions = {"GET": Action.RECON_VIEW, "POST": Action.RECON_RUN}

    @extend_schema(
        operation_id="reconciliations_list", responses={200: ReconciliationView(many=True)}
    )
    def get(self, request: Request) -> Response:
        """List the latest reconciliations, newest first."""
        rows = break_lists.runs(by=caller(request))[:MOST_RUNS]
        return Response(ReconciliationView(rows, many=True).data)

    @extend_schema(
        operation_id="reconciliations_run",
        request=WhichAccount,
        responses={202: ReconciliationView},
    )
    def post(self, request: Request) -> Response:
        """Ask for one now; while one runs for the account, that one is the answer."""
        asked = WhichAccount(data=request.data)
        asked.is_valid(raise_exception=True)
        found = allowed_rows(caller(request), Action.RECON_RUN, Account.objects.all()).filter(
            venue__slug=asked.validated_data["venue"], name=asked.validated_data["account"]
        )
        account = found.select_related("venue").first()
        if account is None:
            raise Http404
        run = request_reconciliation(account=account, by=caller(request))
        return Response(ReconciliationView(run).data, status=202)


class OneReconciliation(APIView):
    actions = {"GET": Action.RECON_VIEW}

    @extend_schema(operation_id="reconciliations_read", responses=ReconciliationView)
    def get(self, request: Request, run_id: UUID) -> Response:
        """Read one reconciliation, while it runs and afterwards."""
        found = break_lists.runs(by=caller(request)).filter(pk=run_id).first()
        if found is None:
            raise Http404
        return Response(ReconciliationView(found).data)
