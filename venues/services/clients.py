"""Venue clients for the rest of the desk: opened with the account's sealed key, never handed around."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeVar

from django.conf import settings

from venues.adapters.registry import ApiKey, Surroundings, VenueConfig, build_client
from venues.credentials import CannotOpen, Sealed, unseal
from venues.interface.client import VenueClient
from venues.interface.errors import Cause, NotSent, OutcomeUnknown
from venues.models import Account, Credential, Venue
from venues.services import bridge
from venues.services.guarding import guarded

T = TypeVar("T")
CALL_TIMEOUT = 20.0
_clients: dict[tuple[uuid.UUID, uuid.UUID], VenueClient] = {}
_lock = threading.Lock()


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


def open_public_client(venue: Venue) -> VenueClient:
    """Open a client without a key, for market data."""
    _refuse_unless_allowed(venue)
    around = Surroundings(seams=guarded(venue.slug, venue.adapter))
    return build_client(venue.adapter, config=_config(venue), key=None, around=around)


def _pooled_client(account: Account) -> VenueClient:
    credential = _credential(account)
    key = (account.pk, credential.pk)
    with _lock:
        if key not in _clients:
            _clients[key] = _open(account, credential)
        return _clients[key]


def _open(account: Account, credential: Credential) -> VenueClient:
    _refuse_unless_allowed(account.venue)
    if not account.is_enabled:
        _refuse(f"{account} is switched off.")
    sealed = Sealed(
        wrapped_key=bytes(credential.wrapped_key), secret=bytes(credential.sealed_secret)
    )
    try:
        key = ApiKey(key_id=credential.key_id, secret=unseal(sealed))
    except CannotOpen as error:
        raise NotSent(str(error), cause=Cause.AUTH) from error
    venue = account.venue
    seams = guarded(
        venue.slug, venue.adapter, account=str(account.pk), credential=str(credential.pk)
    )
    around = Surroundings(seams=seams)
    return build_client(venue.adapter, config=_config(venue), key=key, around=around)


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
    """Live venues stay closed until they are switched on by name."""
    if not venue.is_enabled:
        _refuse(f"{venue} is switched off.")
    if settings.ENVIRONMENT == "LIVE" and venue.slug not in settings.LIVE_VENUES:
        _refuse(f"{venue} is not named in LIVE_VENUES, so nothing is sent there.")


def _refuse(message: str) -> NoReturn:
    raise NotSent(message, cause=Cause.PERMANENT)
