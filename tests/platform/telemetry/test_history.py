"""The page that says what happened to the desk, and that it stays on the desk."""

import ast
import csv
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string

from checks.tools import ROOT, product_files
from cqops.platform import telemetry
from cqops.platform.access.policy import Role
from cqops.platform.audit.models import Entry
from cqops.platform.events.schemas import registered
from cqops.platform.live.redis import client as redis_client
from cqops.platform.telemetry import history
from cqops.platform.telemetry.history import Filter
from cqops.platform.telemetry.models import OpsEvent
from cqops.platform.telemetry.ops import tell
from cqops.platform.telemetry.overview import rows
from tests import cast

HERE = Path(telemetry.__file__).parent
# What reaches programs or open pages.
GOES_OUT = ("cqops.platform.live", "cqops.platform.events")
# Asks Redis whether it is there and how long its queue is.
MAY_ASK_REDIS = {"cqops.platform.live.redis"}


def event(words="something happened", *, ago=timedelta(), **changes):
    at = timezone.now() - ago
    values = {"process": "feeds", "severity": "info", "kind": "stream.reset"}
    return OpsEvent.objects.create(at=at, since=at, words=words, **values | changes)


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{one.name}" for one in node.names)
        elif isinstance(node, ast.Import):
            yield from (one.name for one in node.names)


class TestNothingGoesOut:
    def test_telemetry_knows_neither_the_hub_nor_the_streams(self):
        for path in HERE.rglob("*.py"):
            found = {one for one in imports(path) if one.startswith(GOES_OUT)}
            strange = {
                one for one in found if not any(one.startswith(known) for known in MAY_ASK_REDIS)
            }
            assert not strange, f"{path.name} imports {strange}"
            text = path.read_text()
            for word in ("LIVE_CHANNELS", "EVENT_SCHEMAS", "xadd", "XADD", ".publish(", "PUBLISH"):
                assert word not in text, f"{path.name} says {word}"

    def test_nobody_else_reads_the_store(self):
        for path in product_files(".py"):
            if path.is_relative_to(HERE):
                continue
            assert "OpsEvent" not in path.read_text(), path.relative_to(ROOT)

    def test_no_channel_and_no_schema_is_made_of_them(self):
        for path in settings.LIVE_CHANNELS.values():
            assert not path.startswith("cqops.platform.telemetry")
            assert "telemetry" not in import_string(path).snapshot.__module__
        for path in settings.EVENT_SCHEMAS:
            assert not path.startswith("cqops.platform.telemetry")
        assert not {schema.aggregate for schema in registered().values()} & {"ops", "telemetry"}

    @pytest.mark.django_db
    def test_telling_leaves_redis_as_it_was(self, journal):
        redis = redis_client()
        heard = redis.pubsub()
        heard.psubscribe("*")
        heard.get_message(timeout=1)
        before = {key: redis.dump(key) for key in redis.keys("*")}

        tell("venue.away", "V is away.", labels={"venue": "v"})
        journal.flush()

        assert OpsEvent.objects.count() == 1
        assert heard.get_message(timeout=0.1) is None
        assert {key: redis.dump(key) for key in redis.keys("*")} == before
        heard.close()


@pytest.mark.django_db
class TestReading:
    def test_each_filter_narrows_and_all_together(self):
        wanted = event("w", severity="urgent", kind="venue.away", process="reports")
        event("other")

        for one in (
            Filter(severity="urgent"),
            Filter(kind="venue"),
            Filter(process="reports"),
            Filter(severity="urgent", kind="venue.away", process="reports", since="2020-01-01"),
        ):
            assert list(history.rows(one)) == [wanted]

    def test_time_takes_in_whole_days(self):
        old = event("old", ago=timedelta(days=3))
        new = event("new")
        day = timezone.localtime(old.at).date().isoformat()

        assert list(history.rows(Filter(since=day, until=day))) == [old]
        assert list(history.rows(Filter(since=timezone.localdate().isoformat()))) == [new]

    @pytest.mark.parametrize(
        "broken",
        [Filter(severity="loud"), Filter(since="soon"), Filter(before="x"), Filter(before="²")],
    )
    def test_what_cannot_be_understood_shows_nothing_and_says_why(self, broken):
        event()
        assert broken.problems()
        assert history.page(broken) == ([], "")

    def test_pages_go_by_key_and_miss_nothing_while_more_arrives(self):
        made = [event(f"e{number}").pk for number in range(5)]
        first, cursor = history.page(Filter(), size=2)
        event("late")
        second, cursor = history.page(Filter(before=cursor), size=2)
        third, end = history.page(Filter(before=cursor), size=2)

        assert [one.pk for one in [*first, *second, *third]] == made[::-1]
        assert end == ""


@pytest.mark.django_db
class TestPage:
    url = "/operations/"

    @pytest.fixture
    def auditor(self, client):
        user = cast.person(Role.AUDITOR)
        client.force_login(user)
        return user

    def test_it_shows_what_happened_how_often_and_about_what(self, client, auditor):
        event("Books read anew", count=7, labels={"venue": "v"})

        page = client.get(self.url).content.decode()

        assert "Books read anew" in page
        assert "7 since" in page
        assert "venue v" in page

    def test_an_empty_list_says_so_and_when_it_was_looked_at(self, client, auditor):
        assert "Nothing happened to the desk yet" in client.get(self.url).content.decode()
        assert "Nothing matches this filter" in client.get(f"{self.url}?kind=x").content.decode()

    def test_what_happened_is_text_and_never_markup(self, client, auditor):
        event("<b>bold</b>", labels={"<i>": "<u>"})
        page = client.get(self.url).content.decode()
        assert "<b>" not in page
        assert "<u>" not in page

    def test_an_export_holds_what_the_filter_shows_and_is_written_down(self, client, auditor):
        event("kept", severity="urgent", labels={"venue": "v"})
        event("left out")

        answer = client.get(f"{self.url}?severity=urgent&format=csv")
        lines = list(csv.DictReader(answer.content.decode().splitlines()))

        assert [(line["words"], line["labels"]) for line in lines] == [("kept", "venue v")]
        entry = Entry.objects.get(action="export.taken")
        assert (entry.subject_id, entry.after["rows"], entry.who) == (
            "operations",
            1,
            auditor.username,
        )

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.STEWARD])
    def test_who_does_not_run_the_desk_sees_none_of_it(self, client, role):
        user = cast.person(role)
        event("w", severity="urgent")
        client.force_login(user)

        assert client.get(self.url).status_code == 403
        assert rows(user) == []

    def test_the_overview_points_at_what_was_urgent_lately(self, auditor):
        event("old", severity="urgent", ago=timedelta(hours=2))
        event("calm")
        assert rows(auditor) == []
        event("V is away.", severity="urgent")

        (row,) = rows(auditor)

        assert row.count == 1
        assert "V is away." in row.detail
        assert row.url == f"{reverse('operations')}?severity=urgent"
