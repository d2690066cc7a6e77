"""What a venue's symbol means is kept where it is asked often, and told anew when it changes: not with each sync."""

from datetime import timedelta

import msgspec
import pytest
from django.db import connection
from django.utils import timezone

from assets.services.catalogue import retire_asset
from cqops.platform.access.policy import Role
from tests import cast
from venues.models import Venue, VenueSymbol
from venues.services.meaning import by_venue_symbol, meaning

pytestmark = pytest.mark.django_db
NAMED = {"venue": "coinbase_advanced", "symbol": "BTC-USD"}


def told():
    """Return the last version told of venues' symbols, once what waits for the commit was told."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("SELECT set_config('cqops.told', '', true)")
        cursor.execute("SELECT areas ->> 'venue_symbols' FROM assets_told")
        return cursor.fetchone()[0]


def test_now_it_means_what_the_rows_say_and_comes_back_from_redis_as_it_went(monkeypatch):
    symbol = cast.symbol()
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    found = by_venue_symbol(**NAMED)
    assert found == by_venue_symbol(**NAMED, as_of=now, known_at=now)
    assert found.asset_id == symbol.base_id
    value = meaning.get(("coinbase_advanced", "BTC-USD"))
    hash(value)
    assert meaning._decoder.decode(msgspec.msgpack.encode((1.0, value))) == (1.0, value)
    assert by_venue_symbol(venue="coinbase_advanced", symbol="NOPE").answer == "unknown"


def test_an_answer_is_kept_until_time_alone_ends_it():
    symbol = cast.symbol()
    until = timezone.now() + timedelta(minutes=5)
    assert meaning._read((symbol.venue.slug, symbol.symbol), timezone.now()).until is None
    with cast.seeding():
        VenueSymbol.objects.filter(pk=symbol.pk).update(superseded_at=until)
    assert meaning._read((symbol.venue.slug, symbol.symbol), timezone.now()).until == until


def test_a_change_of_meaning_is_told_and_a_sync_is_not():
    symbol = cast.symbol()
    before = told()
    VenueSymbol.objects.update(synced_at=timezone.now(), price_tick=2)
    assert told() == before
    with cast.seeding():
        VenueSymbol.objects.filter(pk=symbol.pk).update(superseded_at=timezone.now())
    ended = told()
    assert ended != before
    Venue.objects.filter(pk=symbol.venue_id).update(name="Another name")
    assert told() != ended


def test_a_retired_asset_is_not_what_it_means():
    symbol = cast.symbol()
    by = cast.person(Role.STEWARD)
    retire_asset(
        asset_id=symbol.base_id, expected_version=symbol.base.version, reason="gone", by=by
    )
    assert by_venue_symbol(**NAMED).answer == "unknown"
