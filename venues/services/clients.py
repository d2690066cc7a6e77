"""Venue clients for the rest of the desk: opened with the account's sealed key, never handed around.

Switching an account or a venue off stops new orders there and nothing else: what is open must still be
seen, cancelled and looked up. Whatever passes on the wire with a key goes into the raw archive, and what
an adapter does not understand into a drift report; neither ever holds a call up.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn, TypeVar

from django.db import DatabaseError
from django.utils import timezone

from venues.adapters.registry import ADAPTERS, ApiKey, Surroundings, VenueConfig, build_client
from venues.credentials import CannotOpen, Sealed, split, unseal
from venues.interface.client import ChecksKey, VenueClient
from venues.interface.errors import Cause, NotSent, OutcomeUnknown, VenueError
from venues.interface.types import KeyRights, Order, OrderRequest
from venues.models import Account, Credential, Venue
from venues.services import bridge
from venues.services.addresses import refusal
from venues.services.archiving import Window, archive
from venues.services.backstage import backstage
from venues.services.drifting import drift
from venues.services.guarding import guarded, shut
from venues.transport.seams import Seams
from venues.transport.tap import Listens

log = logging.getLogger(__name__)
T = TypeVar("T")
CALL_TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class _Made:
    """What a pooled client was made from; when this changes, so does the client."""

    account: uuid.UUID
    credential: uuid.UUID
    adapter: str
    config: VenueConfig


_clients: dict[_Made, VenueClient] = {}
_lock = threading.Lock()


def send_order(account: Account, request: OrderRequest, *, not_after: datetime) -> Order:
    """Place an order: the one thing a switched-off account or venue refuses.

    It leaves by a moment or not at all, so that a process that was held up sends nothing that was
    given up meanwhile.
    """
    for part in (account.venue, account):
        if not part.is_enabled:
            _refuse(f"{part} is switched off.")

    async def place(client: VenueClient) -> Order:
        if timezone.now() > not_after:
            message = "It was held up on this machine for too long to be sent now."
            raise NotSent(message, cause=Cause.TEMPORARY)
        return await client.place_order(request)

    archive().want_window(
        Window(
            venue=account.venue.slug,
            symbol=request.symbol,
            reference=request.client_order_id,
            around=timezone.now(),
        )
    )
    return call(account, place)


def absence_seconds(account: Account) -> float:
    """Say how long an order may be on its way at this venue before it is listed."""
    return ADAPTERS[account.venue.adapter].capabilities.absence_seconds


def call(account: Account, operation: Callable[[VenueClient], Awaitable[T]]) -> T:
    """Do one thing at the account's venue, from sync code, on the process's pooled client."""
    client = _pooled_client(account)

    async def work() -> T:
        return await operation(client)

    try:
        return bridge.run(work(), timeout=CALL_TIMEOUT)
    except TimeoutError as error:
        message = f"{account} did not answer within {CALL_TIMEOUT:.0f} s."
        raise OutcomeUnknown(message, cause=Cause.TEMPORARY) from error


def open_client(account: Account) -> VenueClient:
    """Open a client of one's own, for a process that keeps streams; the caller closes it."""
    return _open(account, _credential(account))


def try_key(credential: Credential) -> KeyRights:
    """Ask the venue what a key may do, also one that is not in use, on a client that is closed again.

    The key need not be stored yet.
    """
    try:
        client = _open(credential.account, credential)
    except (ValueError, KeyError, TypeError) as error:
        # Not the error's own words: they may quote the key.
        message = f"This cannot be a key of {credential.account.venue}: {type(error).__name__}."
        raise NotSent(message, cause=Cause.AUTH) from error

    async def ask() -> KeyRights:
        try:
            if isinstance(client, ChecksKey):
                return await client.get_key_rights()
            await client.get_balance()
            return KeyRights(can_view=True, can_trade=None, can_transfer=None)
        finally:
            await client.aclose()

    try:
        return bridge.run(ask(), timeout=CALL_TIMEOUT)
    except TimeoutError as error:
        message = f"{credential.account.venue} did not answer within {CALL_TIMEOUT:.0f} s."
        raise OutcomeUnknown(message, cause=Cause.TEMPORARY) from error


def stop_key(credential: Credential) -> None:
    """Let no call out any more that was signed with this key, whichever process holds its client."""
    venue, key = credential.account.venue.slug, str(credential.pk)
    try:
        bridge.run(shut(venue, key), timeout=CALL_TIMEOUT)
    except TimeoutError:
        # Every process reads by itself which key is in use; this only is faster.
        log.warning("the door of key %s was not shut in time", credential.pk)


def open_public_client(venue: Venue, *, ring: Listens | None = None) -> VenueClient:
    """Open a client without a key, for market data; a ring hears what its sockets bring."""
    if not venue.is_enabled:
        _refuse(f"{venue} is switched off.")
    _refuse_unless_allowed(venue)
    around = _around(venue, guarded(venue.slug, venue.adapter, tap=ring), where="public")
    return build_client(venue.adapter, config=_config(venue), key=None, around=around)


def _pooled_client(account: Account) -> VenueClient:
    """Return the account's client, made anew when its key or its address changed.

    Whatever goes wrong here, nothing has left this machine yet.
    """
    try:
        _refuse_unless_allowed(account.venue)
        credential = _credential(account)
        venue = account.venue
        made = _Made(account.pk, credential.pk, venue.adapter, _config(venue))
        with _lock:
            if made not in _clients:
                _replace(made, _open(account, credential))
            return _clients[made]
    except VenueError:
        raise
    except DatabaseError as error:
        message = f"The key of {account} could not be read."
        raise NotSent(message, cause=Cause.TEMPORARY) from error
    except Exception as error:
        # Not the error's own words: they may quote what was being opened.
        message = f"No connection could be set up for {account}: {type(error).__name__}."
        raise NotSent(message, cause=Cause.AUTH) from error


def _replace(made: _Made, client: VenueClient) -> None:
    """Put a client in the place of the one its account had before."""
    for former in [key for key in _clients if key.account == made.account]:
        bridge.later(_close_after_use(_clients.pop(former)))
    _clients[made] = client


async def _close_after_use(client: VenueClient) -> None:
    """Close a replaced client once no call that began on it can still be waiting."""
    await asyncio.sleep(CALL_TIMEOUT)
    await client.aclose()


def _open(account: Account, credential: Credential) -> VenueClient:
    venue = account.venue
    _refuse_unless_allowed(venue)
    sealed = Sealed(
        wrapped_key=bytes(credential.wrapped_key), secret=bytes(credential.sealed_secret)
    )
    try:
        parts = split(unseal(sealed))
    except CannotOpen as error:
        raise NotSent(str(error), cause=Cause.AUTH) from error
    key = ApiKey(key_id=credential.key_id, secret=parts.secret, more=parts.more)
    seams = guarded(
        venue.slug,
        venue.adapter,
        account=str(account.pk),
        credential=str(credential.pk),
        tap=archive().tap(venue.slug, account.pk),
    )
    around = _around(venue, seams, where="private")
    return build_client(venue.adapter, config=_config(venue), key=key, around=around)


def _around(venue: Venue, seams: Seams, *, where: str) -> Surroundings:
    backstage().start()
    return Surroundings(seams=seams, on_drift=drift().listener(venue.slug, venue.adapter, where))


def _credential(account: Account) -> Credential:
    found = account.credentials.in_use().first()
    if found is None:
        message = f"{account} has no key in use. An admin can ask for one."
        raise NotSent(message, cause=Cause.AUTH)
    return found


def _config(venue: Venue) -> VenueConfig:
    return VenueConfig(
        rest_url=venue.rest_url, ws_url=venue.ws_url, ws_user_url=venue.ws_user_url or venue.ws_url
    )


def _refuse_unless_allowed(venue: Venue) -> None:
    if why := refusal(venue):
        _refuse(why)


def _refuse(message: str) -> NoReturn:
    raise NotSent(message, cause=Cause.PERMANENT)
