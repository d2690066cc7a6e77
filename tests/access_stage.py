"""Who asks and what stands behind each address when the access matrix is taken.

Everything is of one account, `ACCOUNT`, and one portfolio. The foreign people hold a role for another
account, venue or portfolio only; the narrow token is a desk-wide trader's, and may only look at orders.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from axes.models import AccessAttempt
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from assets.models import (
    Alias,
    Asset,
    AssetGroup,
    Finding,
    ImportBatch,
    Merge,
    QualityFlag,
)
from assets.services.flags import raise_flag
from assets.services.groups import add_member
from assets.services.identifiers import add_identifier
from assets.services.merging import record_merge
from assets.services.relations import relate
from assets.services.renaming import add_alias
from assets.services.scanning import scan
from cqops.platform.access import demo
from cqops.platform.access.allowances import seeding
from cqops.platform.access.models import User
from cqops.platform.access.policy import Role
from cqops.platform.access.tokens import create_token, issue
from cqops.platform.approvals.models import Request, StandIn
from cqops.platform.approvals.services import Verdict, decide
from portfolio.models import Break, OpeningBalance
from portfolio.services.positions import absorb_executions
from portfolio.services.reconciliation import request_reconciliation
from tests import cast
from tests.assets import stage
from tests.assets.importing.brought import applied, brought, table
from trading.models import Order
from trading.services.executions import record
from trading.services.tickets import place
from venues.models import DriftReport, Maintenance, Venue
from venues.services.stopping import set_aside

ACCOUNT = "Matrix main"
FOREIGN = {
    "foreign": (Role.TRADER, "account"),
    "foreign-approver": (Role.APPROVER, "account"),
    "foreign-recon": (Role.RECON, "account"),
    "foreign-venue": (Role.TRADER, "venue"),
    "foreign-portfolio": (Role.TRADER, "portfolio"),
}
PEOPLE = ["anonymous", "nobody", *Role, *FOREIGN, "narrow-token"]


def set_stage() -> Order:
    """Make something behind every address, all of it of one account."""
    cast.desk_switch()
    cast.publish_book(cast.symbol())
    trader = cast.person(Role.TRADER, "tom")
    trader.email = f"tom@{demo.DOMAIN}"
    trader.save()
    order = _orders(trader)
    _requests(trader)
    _reconciled(order)
    _venue_notes(order)
    issue(user=trader, name="strategy")
    Client().force_login(trader)
    AccessAttempt.objects.create(username="tom", failures_since_start=1)
    _registered(trader)
    every, _ = IntervalSchedule.objects.get_or_create(every=1, period="days")
    PeriodicTask.objects.get_or_create(name="matrix", task="x.y", interval=every)
    return order


def _registered(trader: User) -> None:
    """Make one of everything the registry says, about assets that no order is in."""
    steward = cast.person(Role.STEWARD, "sue")
    _found_and_merged()
    # First: actions are tried on what was said last.
    for name in ("applied", "ready"):
        batch = brought(table(f"MT,{name},,{name},,,,"), steward, name=name)
        if name == "applied":
            applied(batch, steward)
    one, other = stage.asset("MTX", "Matrix"), stage.asset("MTY", "Other")
    group = stage.group("MTX")
    stage.deployed(one)
    add_alias(asset_id=one.pk, ticker="MTXX", source="list", by=steward)
    add_identifier(asset_id=one.pk, scheme="coingecko", value="mtx", source="list", by=steward)
    relate(asset_id=one.pk, kind="wraps", other_id=other.pk, source="issuer", by=steward)
    add_member(group_id=group.pk, asset_id=one.pk, source="desk", by=steward)
    flag = QualityFlag(asset=one, kind="illiquid", severity=20, note="thin")
    raise_flag(flag=flag, by=trader)
    cast.listing("MTX-MTY")
    aside = cast.listing("MTY-MTX")
    set_aside(listing_ids={aside.pk}, reason="not ours", by=steward)


def _found_and_merged() -> None:
    stage.asset("MTD", "Twice")
    once = stage.asset("MTD", "Once")
    scan(now=timezone.now())
    with seeding():
        record_merge(asset_id=stage.asset("MTO", "Old").pk, into_id=once.pk, by=None)


def _orders(trader: User) -> Order:
    account = cast.account(ACCOUNT)
    order = place(
        ticket=cast.ticket(trader, account=account), client_order_id="matrix-order", by=trader
    )
    Order.objects.filter(pk=order.pk).update(
        venue_order_id="V-matrix-order", state="acknowledged", sent_at=timezone.now()
    )
    order.refresh_from_db()
    record(account=account, fills=[cast.fill(order, number=1, quantity="0.1")], by="test")
    absorb_executions()
    return order


def _requests(trader: User) -> None:
    """Ask twice, and have one decided: the other waits for whoever opens its door."""
    approver, admin = cast.person(Role.APPROVER, "amy"), cast.person(Role.ADMIN, "ann")
    for number in (1, 2):
        large = cast.ticket(trader, account=cast.account(ACCOUNT), quantity=Decimal("1.2"))
        place(ticket=large, client_order_id=f"matrix-large-{number}", by=trader)
    first = Request.objects.order_by("requested_at").first()
    assert first is not None
    decide(
        request_id=first.pk,
        by=approver,
        verdict=Verdict.REFUSE,
        reason="not today",
        seen_hash=first.instruction_hash,
    )
    past = timezone.now() - timedelta(days=9)
    StandIn.objects.create(
        absent=approver,
        stand_in=cast.person(Role.APPROVER, "abe"),
        starts_at=past,
        ends_at=past + timedelta(days=1),
        named_by=approver,
        accepted_by=admin,
        accepted_at=past,
    )


def _reconciled(order: Order) -> None:
    now = timezone.now()
    run = request_reconciliation(account=order.account)
    Break.objects.create(
        account=order.account,
        key="balance:USD",
        kind="balance",
        title="USD balance",
        amount=1,
        unit="USD",
        first_seen_at=now,
        last_seen_at=now,
        last_run=run,
    )
    OpeningBalance.objects.create(
        account=order.account, currency="USD", amount=1, taken_at=now, is_first_sight=True
    )


def _venue_notes(order: Order) -> None:
    now = timezone.now()
    DriftReport.objects.create(
        venue=order.symbol.venue,
        place="private",
        kind="unknown status",
        value="MAYBE",
        sample="MAYBE",
        first_seen=now,
        last_seen=now,
        version="coinbase_advanced 1",
    )
    Maintenance.objects.create(
        venue=order.symbol.venue,
        starts_at=now + timedelta(hours=1),
        ends_at=now + timedelta(hours=2),
        note="New engine",
        entered_by=order.placed_by,
    )


def everybody() -> dict[str, User]:
    """Make one person of each kind; the narrow token has none who comes in by a page."""
    other = Venue.objects.create(
        slug="elsewhere",
        name="Elsewhere",
        adapter="coinbase_advanced",
        environment_id=cast.venue().environment_id,
        rest_url="http://127.0.0.1:9",
        ws_url="ws://127.0.0.1:9",
    )
    elsewhere = {
        "account": cast.account("Elsewhere"),
        "venue": other,
        "portfolio": cast.portfolio("Elsewhere"),
    }
    people = {role.value: cast.person(role, f"of-{role}") for role in Role}
    people["nobody"] = cast.person(None, "nobody")
    for name, (role, scope) in FOREIGN.items():
        people[name] = cast.person(role, name, scope=scope, scope_id=elsewhere[scope].pk)
    return people


def narrow_token() -> str:
    owner = cast.person(Role.TRADER, "narrow")
    _, text = create_token(owner=owner, name="narrow", scopes=["order.view"], days=1)
    return text


def bodies(order: Order) -> dict[str, dict[str, Any]]:
    """Return what doors that change something take, so that only the subject is left to refuse."""
    waiting = Request.objects.get(state="pending")
    decision = {"verdict": "refuse", "reason": "too large", "seen_hash": waiting.instruction_hash}
    new = {"client_order_id": "matrix-another", "quantity": "0.1", "limit_price": "50000"}
    new |= {"side": "buy", "order_type": "limit", "time_in_force": "gtc"}
    ticket = {**new, "symbol": order.symbol_id, "account": order.account_id}
    ticket["portfolio"] = order.portfolio_id
    names = {"venue": order.symbol.venue.slug, "account": ACCOUNT}
    asset = {"symbol": "NEW", "name": "New", "kind": "native", "display_places": "8"}
    asset |= {"metadata": "{}", "version": "1", **_unchanged(_BESIDE_AN_ASSET)}
    chain = {"id": "new", "name": "New", "family": "evm", "metadata": "{}", "version": "1"}
    group = {"canonical_symbol": "NEW", "name": "New", "metadata": "{}", "version": "1"}
    group |= _unchanged(["members"])
    said = _said_of_assets()
    venue = {"slug": "new", "name": "New", "adapter": "coinbase_advanced", "is_enabled": "on"}
    venue |= {"rest_url": "http://127.0.0.1:9", "ws_url": "ws://127.0.0.1:9"}
    return {
        "approval-decide": decision,
        "api-approval-decide": decision,
        "ticket": ticket,
        "ticket-preview": ticket,
        "api-orders": {**new, **names, "symbol": "BTC-USD", "portfolio": order.portfolio.name},
        "drift-known": {"note": "new word, read as open"},
        "maintenance-plan": {
            "starts_at": "2099-01-01T10:00",
            "ends_at": "2099-01-01T11:00",
            "note": "New engine",
        },
        "break-note": {"words": "looked at it"},
        "break-close": {"reason": "agreed with the venue"},
        "finding-dismiss": {"reason": "two issuers"},
        "merging-merge": {"reason": "one issuer"},
        "merging-split": {"reason": "two issuers"},
        "reconciliation-run": {"account": order.account_id},
        "api-reconciliations": names,
        "import-columns": {"symbol": "symbol", "name": "name", "coingecko": "coingecko"},
        "import-apply": {"reason": "their list"},
        "preferences": {"time_zone": "Europe/Zurich", "theme": "dark"},
        "token-new": {"name": "new", "days": "1", "scopes": ["order.view"]},
        "enter-as": {"username": "tom"},
        "admin:assets_asset_add": asset,
        "admin:assets_asset_change": asset,
        "admin:assets_chain_add": chain,
        "admin:assets_chain_change": chain,
        "admin:assets_assetgroup_add": group,
        "admin:assets_assetgroup_change": group,
        **said,
        "flag-raise": said["admin:assets_qualityflag_add"],
        "flag-clear": {"reason": "found"},
        "asset-rename": {"ticker": "MTW", "since": "2026-01-01T00:00", "reason": "found"},
        **_registry_over_rest(),
        **_symbols_over_rest(),
        "admin:venues_venue_add": venue,
        "admin:venues_account_add": {
            "venue": order.symbol.venue_id,
            "name": "New",
            "is_enabled": "on",
        },
        "admin:venues_listing_change": {
            "base": Asset.objects.get(symbol="MTX").pk,
            "quote": order.symbol.quote_id,
            "evidence": "name",
            "reason": "found",
            **_unchanged(["meanings"]),
        },
        "admin:trading_portfolio_add": {"name": "New", "kind": "fund", "is_open": "on"},
    }


_BESIDE_AN_ASSET = [
    *("flags", "deployments", "aliases", "identifiers", "stands_on", "stood_on_by", "memberships"),
    *("merges", "merged_here"),
]


def _unchanged(inlines: list[str]) -> dict[str, str]:
    """Return what a form says of lists beside it that are only shown."""
    names = [f"{one}-{what}" for one in inlines for what in ("TOTAL_FORMS", "INITIAL_FORMS")]
    return dict.fromkeys(names, "0")


def _said_of_assets() -> dict[str, dict[str, Any]]:
    """Return what each kind of claim takes, about an asset of which it was not said yet."""
    one, other = Asset.objects.get(symbol="MTX"), Asset.objects.get(symbol="MTY")
    group = AssetGroup.objects.get(canonical_symbol="MTX")
    record = {"source": "list", "why": "found"}
    place = {"chain": "ethereum", "address": stage.WETH, "decimals": "18"}
    return {
        "admin:assets_alias_add": {"asset": one.pk, "ticker": "MTZ", **record},
        "admin:assets_deployment_add": {"asset": other.pk, **place, **record},
        "admin:assets_deployment_change": {"asset": one.pk, "decimals": "18", **record},
        "admin:assets_identifier_add": {
            "asset": other.pk,
            "scheme": "coingecko",
            "value": "mty",
            **record,
        },
        "admin:assets_relationship_add": {
            "asset": one.pk,
            "kind": "stakes",
            "other": other.pk,
            "ratio_rule": "none",
            **record,
        },
        "admin:assets_groupmember_add": {"group": group.pk, "asset": other.pk, **record},
        "admin:assets_qualityflag_add": {
            "asset": one.pk,
            "kind": "depeg",
            "severity": "50",
            "source_kind": "person",
            "note": "below a dollar",
        },
    }


def in_registry() -> dict[str, Any]:
    """Return what addresses of the registry are filled with."""
    one = Asset.objects.get(symbol="MTX")
    return {
        "asset_id": one.pk,
        "chain_id": "ethereum",
        "address": stage.USDC,
        "alias_id": Alias.objects.get(ticker="MTXX").pk,
        "deployment_id": one.deployments.get().pk,
        "identifier_id": one.identifiers.get().pk,
        "relationship_id": one.stands_on.get().pk,
        "group": "MTX",
        "flag_id": one.flags.get().pk,
        "finding_id": Finding.objects.get().pk,
        "merge_id": Merge.objects.get().pk,
        "into_id": Merge.objects.get().into_id,
        "batch_id": ImportBatch.objects.get(file_name="ready").pk,
    }


def of_symbols(order: Order) -> dict[str, Any]:
    """Return what addresses of listings and of what they stand for are filled with."""
    return {"listing_id": order.symbol.listing_id, "symbol_id": order.symbol_id}


def _symbols_over_rest() -> dict[str, dict[str, Any]]:
    """Return what is said of symbols by a page and by programs: of one in an order, one new, one set aside."""
    one, other = Asset.objects.get(symbol="MTX"), Asset.objects.get(symbol="MTY")
    new, aside = cast.listing("MTX-MTY"), cast.listing("MTY-MTX")
    pair, why = {"base": one.pk, "quote": other.pk}, {"reason": "found"}
    return {
        "unmapped": {"do": "set_aside", "tick": new.pk, **why},
        "api-listings-propose": {
            "symbols": [{"listing": new.pk, **pair}],
            "evidence": "name",
            **why,
        },
        "api-listings-set-aside": {"listings": [new.pk], **why},
        "api-listings-take-up": {"listings": [aside.pk], **why},
        "api-listing-change": {**pair, "evidence": "name", **why},
        "api-listing-suspend": why,
        "api-listing-resume": why,
    }


def _registry_over_rest() -> dict[str, dict[str, Any]]:
    """Return what a program says about the same assets."""
    one, other = Asset.objects.get(symbol="MTX"), Asset.objects.get(symbol="MTY")
    ends, says = {"reason": "found"}, {"source": "list"}
    place = {"chain": "ethereum", "address": stage.WETH, "decimals": 18}
    since = {"since": timezone.now().isoformat()}
    return {
        "api-assets": {"symbol": "NEW", "name": "New", "kind": "native"},
        "api-asset-rename": {"ticker": "MTW", **since, **ends},
        "api-asset-retire": ends,
        "api-chains": {"id": "new", "name": "New", "family": "evm"},
        "api-chain-retire": ends,
        "api-deployments": {"asset": other.pk, **place, **says, **ends},
        "api-deployment-correct": {"decimals": 18, **says, **ends},
        "api-deployment-end": ends,
        "api-aliases": {"asset": one.pk, "ticker": "MTZ", **says},
        "api-alias-end": ends,
        "api-identifiers": {"asset": other.pk, "scheme": "coingecko", "value": "mty", **says},
        "api-identifier-end": ends,
        "api-relationships": {"asset": one.pk, "kind": "stakes", "other": other.pk, **says},
        "api-relationship-end": ends,
        "api-groups": {"canonical_symbol": "NEW", "name": "New"},
        "api-members": {"asset": other.pk, **says},
        "api-member-count": {"is_for_risk": True, "is_for_pnl": False},
        "api-member-remove": ends,
        "api-group-canonical": {"asset": one.pk, **ends},
        "api-flags": {"asset": one.pk, "kind": "depeg", "severity": "critical", "note": "low"},
        "api-flag-resolve": ends,
        "api-finding-dismiss": ends,
        "api-merges": {"asset": other.pk, "into": Merge.objects.get().into_id, **ends},
        "api-merge-split": ends,
    }
