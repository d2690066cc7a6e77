"""Requests, decisions, and who has to agree.

The database holds the promises by itself (see the migrations): a requester never decides, nobody
decides twice, a decision carries the hash of the request, and what was decided is never edited.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from cqops.platform.access.policy import Role
from cqops.platform.approvals.exhibits import Finding, findings_from
from cqops.platform.approvals.instruction import Row, canonical, rows_from
from cqops.platform.approvals.kinds import label_of
from cqops.platform.approvals.reasons import WORDS, RefusalCode
from cqops.platform.approvals.rules import Need, Quorum
from cqops.platform.approvals.states import OPEN, SENTENCES, State, Verdict

if TYPE_CHECKING:
    from cqops.platform.access.models import User

PERSON = settings.AUTH_USER_MODEL
LAST_PART = 10
ROLES = [(role.value, role.value.title()) for role in Role]


class Group(models.Model):
    """People of whom a rule asks for so many: named ones, everyone with a role, or both."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80, unique=True)
    role = models.CharField(
        max_length=16, choices=ROLES, blank=True, help_text="Everyone with this role belongs to it."
    )
    people: models.ManyToManyField[User, Membership] = models.ManyToManyField(
        PERSON, through="Membership", related_name="approval_groups", blank=True
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name = "approval group"

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="memberships")
    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "person"], name="approval_member_once")
        ]

    def __str__(self) -> str:
        return f"{self.person} in {self.group}"


class Rule(models.Model):
    """Who has to agree, and when. Rules are read in order, and the first that fits decides."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80, unique=True)
    position = models.PositiveIntegerField(
        default=100, help_text="Rules are read from the lowest up; the first that fits decides."
    )
    is_enabled = models.BooleanField(default=True)
    kind = models.CharField(max_length=40, blank=True)
    notional_from = models.DecimalField(max_digits=40, decimal_places=2, null=True, blank=True)
    venue = models.CharField(max_length=40, blank=True)
    account = models.CharField(max_length=80, blank=True)
    asset_group = models.CharField(max_length=40, blank=True)
    role = models.CharField(
        max_length=16, choices=ROLES, blank=True, help_text="The role of the person who asks."
    )
    groups_required = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="How many of the groups have to agree; empty means all."
    )
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["position", "name"]
        verbose_name = "approval rule"

    def __str__(self) -> str:
        return self.name


class RuleNeed(models.Model):
    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="needs")
    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="needed_by")
    quorum = models.PositiveSmallIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule", "group"], name="approval_group_once_a_rule"),
            models.CheckConstraint(condition=Q(quorum__gte=1), name="approval_quorum_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quorum} of {self.group}"


class StandInQuerySet(models.QuerySet["StandIn"]):
    def active(self, *, at: datetime) -> StandInQuerySet:
        return self.filter(starts_at__lte=at, ends_at__gt=at, ended_at=None)

    def overlapping(self, absent: UUID, *, start: datetime, end: datetime) -> StandInQuerySet:
        return self.filter(absent=absent, starts_at__lt=end, ends_at__gt=start, ended_at=None)


class StandIn(models.Model):
    """Takes somebody's seat in their groups for some days, once a second person accepted it.

    There is one for an absent person at a time, which the database holds. It can be ended early, for good.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    absent = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    stand_in = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    named_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    accepted_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    accepted_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    ended_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")

    objects = StandInQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_at"]
        verbose_name = "stand-in"
        constraints = [
            models.CheckConstraint(
                condition=~Q(absent=F("stand_in")), name="stand_in_is_somebody_else"
            ),
            models.CheckConstraint(
                condition=~Q(named_by=F("accepted_by")), name="stand_in_accepted_by_a_second"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="stand_in_ends_after_it_starts"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stand_in} for {self.absent}"


class RequestQuerySet(models.QuerySet["Request"]):
    def with_names(self) -> RequestQuerySet:
        return self.select_related("requested_by").prefetch_related("decisions__by")

    def open(self) -> RequestQuerySet:
        return self.filter(state__in=OPEN)

    def overdue(self, *, now: datetime) -> RequestQuerySet:
        return self.open().filter(deadline__lte=now)


class Request(models.Model):
    """One question to other people, bound to the exact instruction they see.

    Only `services` writes it. The instruction, its hash, the rule and the deadline never change.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=40)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=64)
    title = models.CharField(max_length=200)
    instruction = models.JSONField(encoder=DjangoJSONEncoder)
    instruction_hash = models.CharField(max_length=64)
    snapshot = models.JSONField(default=list, encoder=DjangoJSONEncoder)
    facts = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    findings = models.JSONField(default=list, encoder=DjangoJSONEncoder)
    # Which part of the desk it belongs to, for grants that reach no further.
    part_venue = models.UUIDField(null=True, blank=True, editable=False)
    part_account = models.UUIDField(null=True, blank=True, editable=False)
    part_portfolio = models.UUIDField(null=True, blank=True, editable=False)
    requested_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="approvals")
    requested_at = models.DateTimeField()
    deadline = models.DateTimeField()
    rule = models.ForeignKey(
        Rule, on_delete=models.SET_NULL, null=True, blank=True, related_name="requests"
    )
    rule_name = models.CharField(max_length=80)
    rule_why = models.CharField(max_length=500)
    needs = models.JSONField(encoder=DjangoJSONEncoder)
    groups_required = models.PositiveSmallIntegerField(null=True, blank=True)
    groups = ArrayField(models.UUIDField(), default=list, blank=True)

    state = models.CharField(
        max_length=10, choices=[(one.value, one.value.title()) for one in State]
    )
    reason = models.CharField(max_length=500, blank=True)
    version = models.PositiveIntegerField(default=1)
    ended_at = models.DateTimeField(null=True, blank=True)
    executed_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = RequestQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at", "-id"]
        verbose_name = "approval request"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_id"],
                condition=Q(state__in=sorted(OPEN)),
                name="one_open_request_a_subject",
            ),
            models.CheckConstraint(
                condition=Q(deadline__gt=F("requested_at")), name="request_has_time"
            ),
            models.CheckConstraint(
                condition=Q(state=State.EXECUTED, executed_at__isnull=False)
                | (~Q(state=State.EXECUTED) & Q(executed_at=None)),
                name="request_executed_says_when",
            ),
        ]
        indexes = [
            models.Index(fields=["-requested_at", "-id"], name="request_by_time"),
            models.Index(
                fields=["deadline"], condition=Q(state__in=sorted(OPEN)), name="request_open"
            ),
            models.Index(
                fields=["requested_at"],
                condition=Q(settled_at=None) & ~Q(state=State.PENDING),
                name="request_not_settled",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def kind_label(self) -> str:
        return label_of(self.kind)

    @property
    def instruction_texts(self) -> dict[str, str]:
        """Give every line by its label, exactly as it was hashed."""
        return {row.label: row.text for row in self.instruction_rows}

    @property
    def instruction_rows(self) -> tuple[Row, ...]:
        return rows_from(self.instruction)

    @property
    def snapshot_rows(self) -> tuple[Row, ...]:
        return rows_from(self.snapshot)

    @property
    def findings_shown(self) -> tuple[Finding, ...]:
        return findings_from(self.findings)

    @property
    def to_confirm(self) -> tuple[Finding, ...]:
        """What has to be confirmed by itself before it is approved."""
        return tuple(one for one in self.findings_shown if one.needs_confirmation)

    @property
    def canonical_text(self) -> str:
        """The very text the hash is of."""
        return canonical(
            kind=self.kind,
            subject_kind=self.subject_kind,
            subject_id=self.subject_id,
            rows=self.instruction_rows,
        )

    @property
    def is_default_rule(self) -> bool:
        """Whether no rule fitted: every rule asks groups, and only the default asks none."""
        return not self.groups

    @property
    def quorum(self) -> Quorum:
        needs = tuple(Need(one["group"], one["label"], one["quorum"]) for one in self.needs)
        return Quorum(needs=needs, groups_required=self.groups_required)

    @property
    def is_pending(self) -> bool:
        return self.state == State.PENDING and not self.is_overdue

    @property
    def is_overdue(self) -> bool:
        return State(self.state) in OPEN and self.deadline <= timezone.now()

    @property
    def is_running_out(self) -> bool:
        """Whether the last tenth of the time has begun."""
        last: timedelta = (self.deadline - self.requested_at) / LAST_PART
        return self.is_pending and timezone.now() >= self.deadline - last

    @property
    def sentence(self) -> str:
        return SENTENCES[State.EXPIRED if self.is_overdue else State(self.state)]


class Decision(models.Model):
    """What one person decided about one request, and what they had seen. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="decisions")
    by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(
        max_length=7, choices=[(one.value, one.value.title()) for one in Verdict]
    )
    reason = models.CharField(max_length=500, blank=True)
    code = models.CharField(
        max_length=16,
        blank=True,
        db_default="",
        choices=[(one.value, WORDS[one]) for one in RefusalCode],
    )
    at = models.DateTimeField()
    instruction_hash = models.CharField(max_length=64)
    seats = models.JSONField(default=list, help_text="The groups this person sat in.")

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["request", "by"], name="one_decision_a_person"),
            models.CheckConstraint(
                condition=Q(verdict=Verdict.APPROVE) | ~Q(reason=""), name="refusal_has_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(verdict=Verdict.REFUSE) | Q(code=""), name="only_a_refusal_has_a_code"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.by} {self.verdict}s {self.request}"


class Proposal(models.Model):
    """A change of a rule, a group, a stand-in, a role or a way in that waits for a second person."""

    class What(models.TextChoices):
        RULE = "rule", "Rule"
        GROUP = "group", "Group"
        STAND_IN = "stand_in", "Stand-in"
        ROLE = "role", "Role of a person"
        WAY_IN = "way_in", "Way in of a person"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    what = models.CharField(max_length=8, choices=What)
    target_id = models.UUIDField(help_text="The row that changes, or the new row's id.")
    content = models.JSONField(encoder=DjangoJSONEncoder)
    proposed_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-proposed_at"]

    def __str__(self) -> str:
        return f"{self.get_what_display()} {self.content.get('Name', '')}".strip()
