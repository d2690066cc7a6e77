"""Symbols nobody mapped yet, of a venue that is switched off, so that no feed ever follows them."""

import os
import subprocess
import sys

from cqops.platform.local.places import CHECKOUT
from tests.browsing import RunningDesk

VENUE = "binance"
MAKE = """
from decimal import Decimal
from django.utils import timezone
from venues.models import InstrumentKind, Listing, Venue
venue = Venue.objects.get(slug={venue!r})
terms = dict(price_tick=Decimal(1), quantity_step=Decimal(1), min_quantity=1, min_notional=1)
Listing.objects.bulk_create([
    Listing(venue=venue, symbol=f"{{base}}USDT_{{mark}}_{{number:03}}", said_base=base, said_quote="USDT",
            kind=InstrumentKind.FUTURE, listed_at=timezone.now(), **terms)
    for mark, bases in {wanted!r}.items() for base, count in bases.items() for number in range(count)
])
"""


def list_new(desk: RunningDesk, **wanted: dict[str, int]) -> None:
    """Let a venue list so many new symbols of each base, told apart by a mark in their names."""
    passed_on = ("PATH", "HOME", "LANG", "TMPDIR")
    environment = {name: os.environ[name] for name in passed_on if name in os.environ}
    subprocess.run(
        [
            sys.executable,
            "manage.py",
            "shell",
            "-c",
            MAKE.format(venue=VENUE, wanted=wanted),
        ],
        cwd=CHECKOUT,
        env={**environment, "LOCAL_DIR": str(desk.folder), "PORT": "0"},
        check=True,
        capture_output=True,
        text=True,
    )
