"""The demo desk of a SIMULATED installation: people, venue, accounts, portfolios, a quiet strategy.

Nothing here runs anywhere else; `refuse_elsewhere` says so in words.
"""

from __future__ import annotations

import hashlib
import logging
import random
import time
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.db import transaction
from django.utils import timezone

from assets.demo import seed_registry
from cqops.platform.access import second_factor
from cqops.platform.access.demo import DOMAIN as DEMO_DOMAIN
from cqops.platform.access.models import ApiToken, User
from cqops.platform.access.people import seed_grant
from cqops.platform.access.policy import WHAT_ROLES_DO, Role
from cqops.platform.access.tokens import digest_of, issue, new_token_text
from cqops.platform.audit.services import record
from trading.models import Order, Portfolio, PortfolioKind, SwitchMode, SwitchScope, TradingSwitch
from trading.services.cancels import TooLate, request_cancel
from trading.services.checks import Ticket
from trading.services.portfolios import save_portfolio
from trading.services.switches import seed_mode
from trading.services.tickets import place
from venues import curated
from venues.demo import seed_symbols
from venues.interface.types import OrderType, Side, TimeInForce
from venues.models import Account, Venue, VenueSymbol
from venues.services.books import read_touch
from venues.services.keys import seed_credential
from venues.services.registration import save_account, save_venue
from venues.simulator.demo_keys import generate_demo_key, generate_shared_key, register_key
from venues.simulator.keys import KeyRing

log = logging.getLogger(__name__)
NAMES = uuid.UUID("6a3ff1c6-6a6c-4b53-9c0e-0c1d6b0f5f11")
TOKEN_NAME = "demo"  # noqa: S105 -- a name, not a token
STRATEGY = "Quiet strategy"
ACCOUNT, EXCHANGE_ACCOUNT = "Main", "Exchange"
CHANGED = "(was changed)"


class NotSimulated(Exception):
    """Demo data belongs to a SIMULATED installation only."""


@dataclass(frozen=True, slots=True)
class Person:
    username: str
    first_name: str
    last_name: str
    role: Role


PEOPLE = [
    Person("vera", "Vera", "Voss", Role.VIEWER),
    Person("tom", "Tom", "Tanaka", Role.TRADER),
    Person("alma", "Alma", "Okafor", Role.APPROVER),
    Person("stella", "Stella", "Stein", Role.STEWARD),
    Person("rene", "René", "Richter", Role.RECON),
    Person("aude", "Aude", "Audran", Role.AUDITOR),
    Person("adam", "Adam", "Adeyemi", Role.ADMIN),
    # The second admin: what one of them gives, the other or an approver agrees to.
    Person("nadia", "Nadia", "Novak", Role.ADMIN),
]
PORTFOLIOS = [
    ("Alpha fund", PortfolioKind.FUND),
    ("Treasury book", PortfolioKind.BOOK),
    (STRATEGY, PortfolioKind.STRATEGY),
]
BALANCES = {
    "USD": Decimal(5_000_000),
    "USDC": Decimal(1_000_000),
    "BTC": Decimal(20),
    "ETH": Decimal(300),
    "SOL": Decimal(5000),
}


def refuse_elsewhere() -> None:
    if not settings.IS_SIMULATED:
        message = (
            f"Demo data belongs to a SIMULATED installation; this one is {settings.ENVIRONMENT}."
        )
        raise NotSimulated(message)


def seed() -> None:
    """Make whatever of the demo desk is missing; what people changed stays as it is."""
    refuse_elsewhere()
    with transaction.atomic():
        _people()
        assets = seed_registry(names=NAMES)
        advanced = _venue("coinbase_advanced", "Coinbase Advanced", user_path="ws-user")
        exchange = _venue("coinbase_exchange", "Coinbase Exchange", user_path="ws")
        for new in curated.VENUES:
            venue = Venue.objects.filter(slug=new.slug).first()
            # Those the desk does not trade at are known by their symbols, and switched off.
            seed_symbols(venue=venue or _venue(new.slug, new.name, is_enabled=False), known=assets)
        _portfolios()
        if not TradingSwitch.objects.filter(scope=SwitchScope.DESK).exists():
            seed_mode(mode=SwitchMode.ON)
        _account(advanced, ACCOUNT)
        _account(exchange, EXCHANGE_ACCOUNT)


def show_access() -> dict[str, Any]:
    """Tell the sign-ins, one a role, and a token that works."""
    refuse_elsewhere()
    return {
        "users": [
            {
                "username": person.username,
                "password": _password_that_opens(person),
                "role": person.role.value,
                "what": WHAT_ROLES_DO[person.role],
            }
            for person in PEOPLE
        ],
        "token": _demo_token(),
    }


def password_of(username: str) -> str:
    """Derive a demo password; it differs between installations, so it opens no other one."""
    word = uuid.uuid5(NAMES, f"{settings.SECRET_KEY}:{username}").hex[:10]
    return f"{username}-{word}"


def _password_that_opens(person: Person) -> str:
    """Tell the demo password, as long as it is one: people may have taken another."""
    word = password_of(person.username)
    known = User.objects.filter(username=person.username).values_list("password", flat=True).first()
    return word if known and check_password(word, known) else CHANGED


def _people() -> None:
    for person in PEOPLE:
        user, is_new = User.objects.get_or_create(
            username=person.username,
            defaults={
                "id": uuid.uuid5(NAMES, person.username),
                "first_name": person.first_name,
                "last_name": person.last_name,
                # By this address the sign-in page knows who can be entered as.
                "email": f"{person.username}@{DEMO_DOMAIN}",
                "is_staff": True,
            },
        )
        if is_new or not user.has_usable_password():
            user.set_password(password_of(person.username))
            user.save(update_fields=["password"])
            record(action="person.created", subject=user, after={"username": person.username})
            if not user.role_grants.exists():
                seed_grant(person=user, role=person.role)
        _second_factor(user)


def _second_factor(user: User) -> None:
    """Enrol a demo person with a seed of this installation; pages show its codes beside the field."""
    if second_factor.has_one(user):
        return
    seed = hashlib.sha256(f"{settings.SECRET_KEY}:second-factor:{user.username}".encode())
    second_factor.begin(user=user, seed=seed.digest()[: second_factor.SEED_BYTES])
    second_factor.confirm(user=user, code=second_factor.present_code(user))


def _venue(slug: str, name: str, *, user_path: str = "ws", is_enabled: bool = True) -> Venue:
    """Set the addresses every time: the simulator's port may move between starts."""
    web = settings.SIMULATOR_URL.rstrip("/")
    venue = Venue.objects.filter(slug=slug).first() or Venue(
        slug=slug, name=name, adapter=slug, is_enabled=is_enabled
    )
    sockets = web.replace("http://", "ws://", 1)
    venue.rest_url = f"{web}/{slug}"
    venue.ws_url = f"{sockets}/{slug}/ws"
    venue.ws_user_url = f"{sockets}/{slug}/{user_path}"
    return save_venue(venue=venue)


def _portfolios() -> None:
    for name, kind in PORTFOLIOS:
        if not Portfolio.objects.filter(name=name).exists():
            save_portfolio(portfolio=Portfolio(name=name, kind=kind))


def _account(venue: Venue, name: str) -> None:
    account = Account.objects.filter(venue=venue, name=name).first() or save_account(
        account=Account(venue=venue, name=name)
    )
    credential = account.credentials.in_use().first()
    ring = KeyRing(settings.SIMULATOR_DIR, venue.adapter, time.time)
    if credential is not None and credential.key_id in {entry.key_id for entry in ring.entries()}:
        return
    generate = generate_shared_key if venue.adapter == "coinbase_exchange" else generate_demo_key
    key = generate(account_ref=str(account.pk), balances=BALANCES)
    register_key(settings.SIMULATOR_DIR, key.entry)
    seed_credential(account=account, key_id=key.key_id, secret=key.secret, more=key.more)


def _demo_token() -> str:
    """Keep one demo token across starts, in a file only its owner reads."""
    path = settings.LOCAL_DIR / "demo-token"
    text = path.read_text().strip() if path.is_file() else ""
    known = ApiToken.objects.filter(digest=digest_of(text), revoked_at=None).first()
    # A token from before tokens named their powers, or were released, may do nothing.
    if text and known and known.scopes and known.released_at:
        return text
    trader = User.objects.get(username="tom")
    text = issue(user=trader, name=TOKEN_NAME, token=new_token_text())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
    return text


def trade_quietly(*, dice: random.Random) -> Order | None:
    """Let the demo strategy place one small order, so that no page is empty at first sight."""
    refuse_elsewhere()
    portfolio = Portfolio.objects.filter(name=STRATEGY, is_open=True).first()
    trader = User.objects.filter(username="tom").first()
    account = Account.objects.filter(name=ACCOUNT, is_enabled=True).select_related("venue").first()
    if portfolio is None or trader is None or account is None:
        return None
    there = VenueSymbol.objects.current().filter(venue=account.venue)
    symbols = list(there.select_related("venue", "base", "quote"))
    if not symbols:
        return None
    _tidy(portfolio, trader)
    symbol = dice.choice(symbols)
    touch = read_touch(symbol, now=timezone.now())
    if not touch.is_trusted or touch.bid is None or touch.ask is None:
        return None
    side = dice.choice([Side.BUY, Side.SELL])
    is_market = dice.random() < 0.5  # noqa: PLR2004 -- a coin
    away = Decimal(dice.randint(0, 40)) / 10_000
    price = touch.bid * (1 - away) if side is Side.BUY else touch.ask * (1 + away)
    quantity = Decimal(dice.randint(50, 900)) / touch.ask
    ticket = Ticket(
        consumer_id=trader.pk,
        account=account,
        portfolio=portfolio,
        symbol=symbol,
        side=side,
        order_type=OrderType.MARKET if is_market else OrderType.LIMIT,
        time_in_force=TimeInForce.IOC if is_market else TimeInForce.GTC,
        quantity=quantity - quantity % max(symbol.quantity_step, Decimal("0.00001")),
        limit_price=None if is_market else price - price % symbol.price_tick,
    )
    return place(ticket=ticket, client_order_id=str(uuid.uuid4()), by=trader)


def _tidy(portfolio: Portfolio, trader: User) -> None:
    """Take back the strategy's oldest orders, so that they do not pile up."""
    working = Order.objects.filter(portfolio=portfolio, is_cancel_requested=False).open()
    for order in working.order_by("-placed_at")[4:10]:
        try:
            request_cancel(order_id=order.pk, by=trader)
        except TooLate:
            log.info("order %s ended by itself", order.pk)
