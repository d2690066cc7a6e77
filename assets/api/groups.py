"""Groups over REST, found by id or by canonical symbol; who is canonical asks a second person."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from uuid import UUID

from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets.api.doors import (
    ASKED,
    ENDED,
    IF_MATCH,
    Ending,
    Paged,
    RegistryView,
    WhichClaims,
    a_page_of,
    claims,
    ends,
    listed,
    shown_as,
    version_of,
    versioned,
    waits,
)
from assets.api.inputs import REASON, Metadata, Moment, Strict, asked, named, sent
from assets.api.problems import refusals
from assets.api.shapes import GroupView, MemberView
from assets.models import Asset, AssetGroup, GroupMember
from assets.services.groups import (
    add_member,
    count_member,
    create_group,
    propose_canonical,
    remove_member,
    save_group,
)
from cqops.platform.access.policy import Action
from cqops.platform.access.rest import caller


class WhichGroups(Paged):
    symbol = serializers.CharField(required=False, max_length=32, help_text="The whole symbol.")
    asset = serializers.UUIDField(required=False, help_text="Groups it belongs to now.")


class NewGroup(Strict):
    canonical_symbol = serializers.CharField(max_length=32)
    name = serializers.CharField(max_length=120)
    metadata = Metadata(required=False)


class GroupChanges(Strict):
    """What is left out stays."""

    canonical_symbol = serializers.CharField(max_length=32, required=False)
    name = serializers.CharField(max_length=120, required=False)
    metadata = Metadata(required=False)
    reason = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)


class WhichMembers(WhichClaims):
    """Who belongs to a group, or with the two clocks, who did."""


class NewMember(Strict):
    asset = named(Asset.objects.all())
    is_for_risk = serializers.BooleanField(required=False, default=False)
    is_for_pnl = serializers.BooleanField(required=False, default=False)
    valid_from = Moment(required=False, help_text="Else it always belonged to it.")
    source = serializers.CharField(max_length=120, help_text="Who says so.")  # type: ignore[assignment]


class Counting(Strict):
    is_for_risk = serializers.BooleanField()
    is_for_pnl = serializers.BooleanField()
    since = Moment(required=False, help_text="From then on; else from now.")


class NewCanonical(Strict):
    asset = named(Asset.objects.all())
    since = Moment(required=False, help_text="From then on; else it always was.")
    reason = serializers.CharField(max_length=300, help_text=REASON)


class Groups(RegistryView):
    actions = {"GET": Action.REGISTRY_VIEW, "POST": Action.REGISTRY_EDIT}

    @extend_schema(
        operation_id="groups_list",
        parameters=[WhichGroups],
        responses={200: a_page_of(GroupView, "Group"), **refusals(400)},
    )
    def get(self, request: Request) -> Response:
        """List groups in use by their symbols."""
        given = asked(request, WhichGroups)
        found = AssetGroup.objects.filter(retired_at=None)
        if "symbol" in given:
            found = found.filter(canonical_symbol__iexact=given["symbol"])
        if "asset" in given:
            now = timezone.now()
            members = GroupMember.objects.at(as_of=now, known_at=now)
            found = found.filter(pk__in=members.filter(asset=given["asset"]).values("group"))
        return listed(found, given, by="canonical_symbol", shown=shown_as(GroupView))

    @extend_schema(
        operation_id="groups_create",
        request=NewGroup,
        responses={201: GroupView, **refusals(400, 409)},
    )
    def post(self, request: Request) -> Response:
        """Make a group. Its symbol stands for one group at a time."""
        group = create_group(group=AssetGroup(**sent(request, NewGroup)), by=caller(request))
        place = reverse("api-group", args=[group.pk])
        return versioned(GroupView(group).data, group, HTTPStatus.CREATED, Location=place)


class OneGroup(RegistryView):
    actions = {"GET": Action.REGISTRY_VIEW, "PATCH": Action.REGISTRY_EDIT}

    @extend_schema(operation_id="groups_read", responses={200: GroupView, **refusals(404)})
    def get(self, request: Request, group: str) -> Response:
        """Read a group by its id, or by the symbol it goes by now."""
        found = _found(group)
        return versioned(GroupView(found).data, found)

    @extend_schema(
        operation_id="groups_update",
        parameters=[IF_MATCH],
        request=GroupChanges,
        responses={200: GroupView, **refusals(400, 404, 409, 412, 428)},
    )
    def patch(self, request: Request, group: str) -> Response:
        """Change some of a group, if it is still at the version you saw."""
        found = _found(group)
        found.version = version_of(request)
        changes = sent(request, GroupChanges)
        reason = changes.pop("reason")
        for name, value in changes.items():
            setattr(found, name, value)
        saved = save_group(group=found, reason=reason, by=caller(request))
        return versioned(GroupView(saved).data, saved)


class Members(RegistryView):
    actions = {"GET": Action.REGISTRY_VIEW, "POST": Action.REGISTRY_EDIT}

    @extend_schema(
        operation_id="members_list",
        parameters=[WhichMembers],
        responses={200: a_page_of(MemberView, "Member"), **refusals(400, 404)},
    )
    def get(self, request: Request, group: str) -> Response:
        """List who belongs to a group."""
        given = asked(request, WhichMembers)
        rows = GroupMember.objects.filter(group=_found(group)).select_related("asset")
        return listed(claims(rows, given), given, by="recorded_at", shown=shown_as(MemberView))

    @extend_schema(
        operation_id="members_add",
        request=NewMember,
        responses={201: MemberView, **refusals(400, 404, 409)},
    )
    def post(self, request: Request, group: str) -> Response:
        """Count an asset in a group."""
        found = _found(group)
        given = sent(request, NewMember)
        member = add_member(
            group_id=found.pk, asset_id=given.pop("asset").pk, by=caller(request), **given
        )
        return Response(MemberView(member).data, status=HTTPStatus.CREATED)


class CountMember(RegistryView):
    actions = {"POST": Action.REGISTRY_EDIT}

    @extend_schema(
        operation_id="members_count",
        request=Counting,
        responses={200: MemberView, **refusals(400, 404, 409)},
    )
    def post(self, request: Request, group: str, asset_id: UUID) -> Response:
        """Choose whether risk and PnL go by this group for the asset."""
        member = _member(group, asset_id)
        given = sent(request, Counting)
        since = given.pop("since", None) or timezone.now()
        found = count_member(member=member, since=since, by=caller(request), **given)
        return Response(MemberView(found).data)


class RemoveMember(RegistryView):
    actions = {"POST": Action.REGISTRY_EDIT}

    @extend_schema(
        operation_id="members_remove",
        request=Ending,
        responses={200: MemberView, 204: ENDED, **refusals(400, 404, 409)},
    )
    def post(self, request: Request, group: str, asset_id: UUID) -> Response:
        """Count an asset in a group no longer. The canonical one is replaced first."""
        member = _member(group, asset_id)
        return ends(request, partial(remove_member, member=member), MemberView)


class Canonical(RegistryView):
    actions = {"POST": Action.REGISTRY_EDIT}

    @extend_schema(
        operation_id="groups_canonical",
        request=NewCanonical,
        responses={202: ASKED, **refusals(400, 404, 409, 422)},
    )
    def post(self, request: Request, group: str) -> Response:
        """Ask for a group to go by another member."""
        found = _found(group)
        given = sent(request, NewCanonical)
        return waits(
            propose_canonical(
                group_id=found.pk, asset_id=given.pop("asset").pk, by=caller(request), **given
            )
        )


def _found(group: str) -> AssetGroup:
    """Find a group by its id, also a retired one, or by the symbol it goes by now."""
    try:
        return AssetGroup.objects.get(pk=UUID(group))
    except ValueError as error:
        if "\x00" in group:
            raise Http404 from error
        return AssetGroup.objects.get(canonical_symbol__iexact=group, retired_at=None)


def _member(group: str, asset_id: UUID) -> GroupMember:
    now = timezone.now()
    rows = GroupMember.objects.at(as_of=now, known_at=now).select_related("asset", "group")
    found: GroupMember = rows.get(group=_found(group), asset=asset_id)
    return found
