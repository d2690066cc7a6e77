"""A venue for tests: it answers as it is told, remembers what it was asked, and needs nothing.

For people who write strategies against the venue library; `docs/mock-client.md` shows how.
"""

from venues.mock.client import BareVenue, MockVenue, venue_with
from venues.mock.feeds import Feed
from venues.mock.records import Call
from venues.mock.scripts import Accepted, Script

__all__ = ["Accepted", "BareVenue", "Call", "Feed", "MockVenue", "Script", "venue_with"]
