"""Where an asset lives on a chain: recorded, corrected and ended with a second person.

An address decides what is bought and sold, and its decimals how much. One question about one address
waits at a time; of many who ask at once, one asks, and the others are told.
"""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID, uuid5

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from assets import events
from assets.addresses import BadAddress, normalised
from assets.errors import Conflict
from assets.models import Asset, Chain, Deployment
from assets.models.claims import ClaimQuerySet
from assets.services.claims import changed, ended, recorded, refuse_past_its_end, said, telling
from assets.services.guarding import (
    ALWAYS,
    NO,
    YES,
    as_content,
    asking,
    carrying_out,
    impact_on,
    moment,
)
from assets.services.holding import demand_edit, held, hold, in_use, refuse_retired
from cqops.platform.access.models import User
from cqops.platform.access.policy import Action
from cqops.platform.approvals.errors import NothingChanges
from cqops.platform.approvals.instruction import Content
from cqops.platform.approvals.kinds import Kind
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.rules import NO_FACT
from cqops.platform.approvals.services.powers import latest
from cqops.platform.audit.services import record

KIND = "assets.deployment"
RECORD, CORRECT, END = "record", "correct", "end"
MOST_DECIMALS = 36
HEX = re.compile(r"0x[0-9a-fA-F]+")
ADDRESSES = UUID("4d2f0a3e-5f5b-4a2c-9f77-0a4de0f0b6c1")


def spelt(chain: Chain, address: str) -> str:
    """Write an address the one way its chain has, or refuse it beside its field."""
    try:
        return normalised(chain.family, address)
    except BadAddress as error:
        raise ValidationError({"address": str(error)}) from error


def key_of(address: str) -> str:
    """Spell what PostgreSQL compares addresses by (`address_key`)."""
    return address.lower() if HEX.fullmatch(address) else address


def subject_of(chain_id: str, address: str) -> UUID:
    """Name an address as what a request is about: one of them is asked about at a time."""
    return uuid5(ADDRESSES, f"{chain_id}:{key_of(address)}")


def standing(chain_id: str, address: str, *, claim: UUID | str | None = None) -> Deployment | None:
    """Find what is known of an address now, for now or for a time to come: one claim, or the first."""
    found = _known(chain_id, address).exclude(valid_to__lte=timezone.now())
    return (found.filter(pk=claim) if claim else found).first()


def _known(chain_id: str, address: str) -> ClaimQuerySet:
    found = Deployment.objects.known().filter(chain=chain_id, address_key=key_of(address))
    return found.select_related("asset", "chain").order_by(F("valid_from").asc(nulls_first=True))


@transaction.atomic
def propose_deployment(  # noqa: PLR0913 -- what is claimed, why, and by whom
    *,
    asset_id: UUID,
    chain_id: str,
    address: str,
    decimals: int,
    source: str,
    reason: str,
    by: User,
    is_canonical: bool = False,
    valid_from: datetime | None = None,
    corrects: Deployment | None = None,
) -> Request:
    """Ask a second person to agree that an asset lives at an address, or that a claim was wrong.

    Without `corrects`, an address that is known already is a conflict.
    """
    chain = _chain(chain_id)
    text = spelt(chain, address)
    if not 0 <= decimals <= MOST_DECIMALS:
        raise ValidationError({"decimals": f"Decimals are between 0 and {MOST_DECIMALS}."})
    asset = in_use(asset_id, also_merged=corrects is not None)
    there = standing(chain_id, text, claim=corrects.pk) if corrects else None
    if there is None and corrects is not None:
        message = "What you correct does not stand any more. Look again."
        raise Conflict(message, corrects)
    since = _since(valid_from, there)
    if there is None:
        _refuse_taken(chain, text, since)
    if is_canonical:
        _refuse_second_canonical(asset, chain, since, there)
    wanted = (asset.pk, decimals, is_canonical)
    if there and (there.asset_id, there.decimals, there.is_canonical) == wanted:
        message = f"{there} says exactly that already."
        raise NothingChanges(message)
    content = {
        "Change": CORRECT if there else RECORD,
        **_of_the_asset(asset),
        "Chain": chain.pk,
        "Address": text,
        "Decimals": decimals,
        "Canonical": YES if is_canonical else NO,
        "True since": since or ALWAYS,
        "Source": source,
        "Because": reason.strip(),
        **_instead(there),
    }
    touched = {asset.pk, *([there.asset_id] if there else [])}
    return asking(
        kind=KIND,
        subject_id=subject_of(chain.pk, text),
        title=f"{asset.label} on {chain}: {text}",
        instruction=content,
        assets=touched,
        by=by,
        reason=reason,
    )


def _since(wanted: datetime | None, there: Deployment | None) -> datetime | None:
    """Say since when it would be so: a correction changes nothing before what it corrects began."""
    if there is None:
        return wanted
    if wanted is None or (there.valid_from is not None and wanted < there.valid_from):
        return there.valid_from
    refuse_past_its_end(there, wanted)
    return wanted


def _refuse_taken(chain: Chain, address: str, since: datetime | None) -> None:
    known = _known(chain.pk, address)
    there = (known.exclude(valid_to__lte=since) if since else known).last()
    if there is not None:
        until = f" until {there.valid_to.isoformat()}" if there.valid_to else ""
        message = f"{address} on {chain} is known already: it is {there.asset.label}{until}."
        raise Conflict(message, there)


def _refuse_second_canonical(
    asset: Asset, chain: Chain, since: datetime | None, there: Deployment | None
) -> None:
    others = Deployment.objects.known().filter(asset=asset, chain=chain, is_canonical=True)
    if there is not None:
        others = others.exclude(pk=there.pk)
        others = others.exclude(valid_from__gte=there.valid_to) if there.valid_to else others
    other = (others.exclude(valid_to__lte=since) if since else others).first()
    if other is not None:
        raise Conflict(_second_canonical(asset, chain), other)


@transaction.atomic
def propose_end(*, deployment: Deployment, at: datetime, reason: str, by: User) -> Request:
    """Ask a second person to agree that an asset is at an address no longer."""
    there = standing(deployment.chain_id, deployment.address, claim=deployment.pk)
    if there is None:
        message = f"{deployment} does not stand any more. Look again."
        raise Conflict(message, deployment)
    refuse_past_its_end(there, at)
    content = {
        "Change": END,
        **_of_the_asset(there.asset),
        "Chain": there.chain_id,
        "Address": there.address,
        "True until": at,
        "Because": reason.strip(),
        **_instead(there),
    }
    return asking(
        kind=KIND,
        subject_id=subject_of(there.chain_id, there.address),
        title=f"{there.asset.label} is no longer at {there.address}",
        instruction=content,
        assets={there.asset_id},
        by=by,
        reason=reason,
    )


@transaction.atomic
def record_deployment(  # noqa: PLR0913 -- a claim is all of this
    *,
    asset_id: UUID,
    chain_id: str,
    address: str,
    decimals: int,
    source: str,
    by: User | None,
    is_canonical: bool = False,
    valid_from: datetime | None = None,
    approval: UUID | None = None,
) -> Deployment:
    """Record where an asset lives. PostgreSQL takes it only as approved, or while a desk is seeded."""
    demand_edit(by)
    chain = _chain(chain_id)
    text = spelt(chain, address)
    hold("deployment", chain_id, key_of(text))
    asset = in_use(asset_id)
    claim = Deployment(
        asset=asset,
        chain=chain,
        address=text,
        decimals=decimals,
        is_canonical=is_canonical,
        valid_from=valid_from,
        source=source,
    )
    _refuse_taken(chain, text, valid_from)
    with telling(_words(claim)):
        recorded(claim, by=by, approval=approval)
    _told(claim, by=by, reason="")
    return claim


def _words(claim: Deployment) -> dict[str, str]:
    return {
        "one_asset_an_address": f"{claim} is known for that time already.",
        "one_canonical_deployment": _second_canonical(claim.asset, claim.chain),
    }


def _second_canonical(asset: Asset, chain: Chain) -> str:
    return f"{asset.label} has another canonical contract on {chain} at that time."


def _told(claim: Deployment, *, by: User | None, reason: str) -> None:
    record(
        action="deployment.recorded",
        subject=claim.asset,
        after=said(claim),
        reason=reason,
        decision_id=str(claim.approval_id or ""),
        by=by,
    )
    events.deployed(claim)


def _chain(chain_id: str) -> Chain:
    chain = Chain.objects.get(pk=chain_id)
    refuse_retired(chain)
    return chain


def _of_the_asset(asset: Asset) -> Content:
    return {"Asset": asset.label, "Asset id": asset.pk}


def _instead(there: Deployment | None) -> Content:
    """Name what stands now, so that whoever changes it meanwhile voids the request."""
    if there is None:
        return {"Stands now": "nothing"}
    told = f"{there.asset.label}, {there.decimals} decimals"
    return {"Stands now": told, "Claim that stands": there.pk}


def instruction_now(subject_id: str) -> Content:
    """Write what is asked for over what is known of the address now."""
    return _instruction(latest(KIND, subject_id))


def _instruction(request: Request) -> Content:
    rows = request.instruction_texts
    asset = Asset.objects.get(pk=rows["Asset id"])
    there = _asked_of(rows)
    kept = {
        name: text for name, text in rows.items() if name not in {"Stands now", "Claim that stands"}
    }
    return {**kept, **_of_the_asset(asset), **_instead(there)}


def _asked_of(rows: dict[str, str]) -> Deployment | None:
    """Find the claim that was asked about, or where none stood, any that stands by now."""
    return standing(rows["Chain"], rows["Address"], claim=rows.get("Claim that stands"))


def seen_now(subject_id: str) -> Content:
    rows = latest(KIND, subject_id).instruction_texts
    there = _asked_of(rows)
    touched = {UUID(rows["Asset id"]), *([there.asset_id] if there else [])}
    return as_content(impact_on(touched))


@transaction.atomic
def settle(request: Request) -> None:
    """Do what was agreed to; anything else leaves what stands as it is."""
    rows = request.instruction_texts
    hold("deployment", rows["Chain"], key_of(rows["Address"]))
    carrying_out(request, instruction=_instruction(request), act=lambda: _act(request, rows))


def _act(request: Request, rows: dict[str, str]) -> None:
    by = request.requested_by
    there = _asked_of(rows)
    if there is None:
        record_deployment(
            asset_id=UUID(rows["Asset id"]),
            chain_id=rows["Chain"],
            address=rows["Address"],
            decimals=int(rows["Decimals"]),
            source=rows["Source"],
            is_canonical=rows["Canonical"] == YES,
            valid_from=moment(rows["True since"]),
            by=by,
            approval=request.pk,
        )
        return
    demand_edit(by)
    held(there.asset_id)
    if rows["Change"] == END:
        _end(there, request, rows)
        return
    changes = {
        "asset_id": in_use(rows["Asset id"], also_merged=True).pk,
        "decimals": int(rows["Decimals"]),
        "is_canonical": rows["Canonical"] == YES,
    }
    before = said(there)
    with telling(_words(there)):
        claim = changed(
            there,
            since=moment(rows["True since"]),
            changes=changes,
            by=by,
            source=rows["Source"],
            approval=request.pk,
        )
    record(action="deployment.corrected", subject=there.asset, before=before, by=by)
    _told(claim, by=by, reason=rows["Because"])


def _end(there: Deployment, request: Request, rows: dict[str, str]) -> None:
    until = datetime.fromisoformat(rows["True until"])
    by = request.requested_by
    before = said(there)
    ended(there, at=until, by=by, source=by.name, approval=request.pk)
    record(
        action="deployment.ended",
        subject=there.asset,
        before=before,
        after={"valid_to": until},
        reason=rows["Because"],
        decision_id=str(request.pk),
        by=by,
    )


def page_of(subject_id: str) -> str:
    return reverse("asset", args=[latest(KIND, subject_id).instruction_texts["Asset id"]])


deployment_kind = Kind(
    label="Where an asset lives",
    asks=Action.REGISTRY_EDIT,
    decides=Action.REGISTRY_APPROVE,
    settle=settle,
    instruction=instruction_now,
    now=seen_now,
    page=page_of,
    tells=NO_FACT,
)
