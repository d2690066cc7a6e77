"""Trading goes on again with two people: one asks with a reason, another agrees.

The approval binds to the switch as it stood when it was asked: whoever stops trading again meanwhile, even
from off to off, makes it void.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.urls import reverse

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action
from cqops.platform.approvals.errors import NothingChanges, Refused
from cqops.platform.approvals.instruction import Content
from cqops.platform.approvals.kinds import Kind
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.rules import NO_FACT
from cqops.platform.approvals.services import Facts, ask
from cqops.platform.approvals.services.powers import carry_out, latest, refuse_alone
from trading.models import Order, SwitchMode, SwitchScope, TradingSwitch
from trading.services.switches import hold, is_looser, write

KIND = "trading.switch"
TO, BECAUSE = "To", "Because"


@transaction.atomic
def ask_to_loosen(
    *, scope: SwitchScope, subject_id: UUID | None, mode: SwitchMode, reason: str, by: User
) -> Request:
    """Ask a second person to agree that a switch is set less strict."""
    switch = hold(scope=scope, subject_id=subject_id)
    if not is_looser(mode, than=switch.mode):
        message = "That is no looser than now, so nobody has to be asked."
        raise NothingChanges(message)
    if not reason.strip():
        message = "Say why trading goes on: whoever agrees reads it, and so does the audit."
        raise Refused(message)
    request = ask(
        kind=KIND,
        subject_kind="trading.switch",
        subject_id=switch.pk,
        instruction=_instruction(switch, mode=mode.value, reason=reason.strip()),
        snapshot=_seen(),
        requested_by=by,
        facts=Facts(),
        title=f"Trading {mode.label.lower()}: {switch.get_scope_display()}",
    )
    return refuse_alone(request)


def _instruction(switch: TradingSwitch, *, mode: str, reason: str) -> Content:
    part: Content = {"Of": switch.subject_id} if switch.subject_id else {}
    return {
        "Switch": switch.get_scope_display(),
        **part,
        "From": switch.mode,
        TO: mode,
        BECAUSE: reason,
        "Set so at": switch.changed_at,
        "Set so because": switch.reason or None,
    }


def _seen() -> Content:
    return {"Orders open": Order.objects.open().count()}


def instruction_now(switch_id: str) -> Content:
    """Write what is asked for over the switch as it stands now."""
    wanted = latest(KIND, switch_id).instruction_texts
    switch = TradingSwitch.objects.get(pk=switch_id)
    return _instruction(switch, mode=wanted[TO], reason=wanted[BECAUSE])


def seen_now(switch_id: str) -> Content:  # noqa: ARG001 -- the engine fixes the signature
    return _seen()


@transaction.atomic
def settle(request: Request) -> None:
    """Loosen the switch once it is approved; anything else leaves it as it is."""
    switch = TradingSwitch.objects.select_for_update(of=("self",)).get(pk=request.subject_id)
    wanted = request.instruction_texts
    instruction = _instruction(switch, mode=wanted[TO], reason=wanted[BECAUSE])

    def act() -> None:
        write(
            switch,
            mode=SwitchMode(wanted[TO]),
            reason=wanted[BECAUSE],
            by=request.requested_by,
            approval=request.pk,
        )

    carry_out(request, instruction=instruction, act=act)


def page_of(switch_id: str) -> str:
    return reverse("admin:trading_tradingswitch_change", args=[switch_id])


switch_kind = Kind(
    label="Trading goes on",
    asks=Action.SWITCH_STOP,
    decides=Action.SWITCH_APPROVE,
    settle=settle,
    instruction=instruction_now,
    now=seen_now,
    page=page_of,
    tells=NO_FACT,
)
