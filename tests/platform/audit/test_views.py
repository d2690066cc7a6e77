import csv
import io

import pytest
from celery import current_app
from django.urls import reverse

from cqops.platform import exports
from cqops.platform.access.policy import Role
from cqops.platform.access.tokens import issue
from cqops.platform.audit import anchoring, proof
from cqops.platform.audit.models import Entry
from cqops.platform.audit.sequencer import Sequencer
from cqops.platform.audit.services import record
from cqops.platform.background import doorbells
from tests import cast
from trading.services.tickets import place

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor(client):
    user = cast.person(Role.AUDITOR, "aude")
    client.force_login(user)
    Sequencer().run()
    return user


@pytest.mark.parametrize("role", Role)
def test_only_auditors_recon_and_admins_read_the_log(client, role):
    client.force_login(cast.person(role))
    may_read = role in {Role.AUDITOR, Role.RECON, Role.ADMIN}

    assert client.get("/audit/").status_code == (200 if may_read else 403)


def test_a_refusal_at_a_door_is_written_down(client):
    viewer = cast.person(Role.VIEWER, "vera")
    client.force_login(viewer)

    client.get("/audit/", headers={"x-request-id": "request-12345"})

    entry = Entry.objects.get(action="access.refused")
    assert (entry.who, entry.roles, entry.door) == ("vera", "viewer", "page")
    assert (entry.subject_id, entry.request_id) == ("/audit/", "request-12345")


def test_a_refusal_over_rest_and_in_the_admin_names_its_door(client):
    viewer = cast.person(Role.RECON, "vera")
    headers = {"authorization": f"Bearer {issue(user=viewer, name='strategy')}"}

    client.post("/api/v1/orders", {}, content_type="application/json", headers=headers)
    client.force_login(viewer)
    client.get("/admin/assets/asset/add/")

    doors = Entry.objects.filter(action="access.refused", who="vera").values_list("door", flat=True)
    assert sorted(doors) == ["admin", "api"]


def test_coming_in_going_out_and_failing_to_are_written_down(client):
    user = cast.person(Role.TRADER, "tom")
    user.set_password("a long enough word")
    user.save()
    client.post("/sign-in/", {"username": "tom", "password": "guessed wrongly"})
    client.post("/sign-in/", {"username": "tom", "password": "a long enough word"})
    client.post("/sign-out/")

    told = Entry.objects.order_by("pk").values_list("action", "who")
    assert list(told) == [
        ("person.sign_in_failed", ""),
        ("person.signed_in", "tom"),
        ("person.signed_out", "tom"),
    ]
    everything = str(list(Entry.objects.values()))
    assert "guessed wrongly" not in everything
    assert "a long enough word" not in everything


def test_a_worker_verifies_when_somebody_asks(client, monkeypatch):
    asked = []
    monkeypatch.setattr(current_app, "send_task", lambda name, **_: asked.append(name))
    client.force_login(cast.person(Role.AUDITOR))

    answer = client.post("/audit/verify/", follow=True)
    doorbells.wait()

    assert asked == ["audit.verify", "audit.anchor"]
    assert "A worker verifies" in answer.content.decode()


class TestList:
    def test_each_filter_keeps_what_fits(self, client, auditor):
        tom = cast.person(Role.TRADER, "tom")
        record(action="asset.changed", subject=cast.asset("BTC"), by=tom)
        record(action="order.placed", subject=cast.asset("ETH"), by=auditor)
        key = str(cast.asset("BTC").pk)

        for query in (f"subject={key}", "subject=btc", "person=tom", "action=asset"):
            page = client.get(f"/audit/?{query}").content.decode()
            assert "asset.changed" in page, query
            assert "order.placed" not in page, query

    def test_times_take_in_the_whole_last_day(self, client, auditor):
        entry = record(action="asset.changed")
        day = f"{entry.at:%Y-%m-%d}"

        assert "asset.changed" in client.get(f"/audit/?since={day}&until={day}").content.decode()
        assert "asset.changed" not in client.get("/audit/?until=2020-01-01").content.decode()

    def test_a_time_that_is_none_shows_nothing_and_says_why(self, client, auditor):
        record(action="asset.changed")

        page = client.get("/audit/?since=yesterday").content.decode()

        assert "yesterday is not a time" in page
        assert "asset.changed" not in page

    def test_pages_are_read_by_key_and_miss_nothing(self, client, auditor):
        for number in range(120):
            record(action="x.y", subject_kind="n", subject_id=str(number))
        seen, url = [], "/audit/?action=x.y"
        while url:
            answer = client.get(url)
            seen += [entry.subject_id for entry in answer.context["entries"]]
            cursor = answer.context["next_cursor"]
            url = f"/audit/?action=x.y&before={cursor}" if cursor else ""

        assert seen == [str(number) for number in reversed(range(120))]

    def test_a_broken_page_link_is_explained(self, client, auditor):
        assert "page link is broken" in client.get("/audit/?before=x").content.decode()

    def test_the_banner_says_when_it_was_proven(self, client, auditor):
        record(action="x.y")
        page = client.get("/audit/").content.decode()
        assert "Not verified yet" in page
        assert "Not anchored yet" in page

        Sequencer().run()
        anchoring.anchor()
        proof.verify_and_remember()

        page = client.get("/audit/").content.decode()
        assert "nothing was changed" in page
        assert "Last anchored" in page
        assert "Unsealed tail: 0" in page

    def test_an_empty_answer_leads_back_to_everything(self, client, auditor):
        assert "Nothing matches this filter" in client.get("/audit/?person=nobody").content.decode()


class TestExport:
    def test_holds_every_page_of_the_list_and_is_audited_itself(self, client, auditor):
        for _ in range(60):
            record(action="x.y", reason="=1+1")

        answer = client.get("/audit/?action=x.y&format=csv")

        rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
        assert len(rows) == 60
        assert rows[0]["reason"] == "'=1+1"
        taken = Entry.objects.get(action="export.taken")
        assert taken.who == "aude"
        assert taken.after["rows"] == 60
        assert taken.after["asked"] == {"action": "x.y", "format": "csv"}

    def test_one_that_would_not_end_says_that_it_was_cut_and_how_to_go_on(
        self, client, auditor, monkeypatch
    ):
        monkeypatch.setattr(exports, "LIMIT", 4)
        for number in range(10):
            record(action="x.y", subject_kind="n", subject_id=str(number))
        seen, before = [], ""
        while True:
            answer = client.get(f"/audit/?action=x.y&format=csv&before={before}")
            *rows, last = list(csv.DictReader(io.StringIO(answer.content.decode())))
            if not last["id"].startswith("CUT"):
                seen += [row["subject_id"] for row in (*rows, last)]
                break
            seen += [row["subject_id"] for row in rows]
            assert last["id"].startswith("CUT after 4 lines, there are more: the same address with")
            before = last["id"].partition("before=")[2].split()[0]

        assert seen == [str(number) for number in reversed(range(10))]
        taken = Entry.objects.filter(action="export.taken").order_by("pk")
        assert [one.after["is_cut"] for one in taken] == [True, True, False]

    def test_one_of_exactly_the_limit_is_not_called_cut(self, client, auditor, monkeypatch):
        monkeypatch.setattr(exports, "LIMIT", 4)
        for _ in range(4):
            record(action="x.y")

        answer = client.get("/audit/?action=x.y&format=csv")

        assert "CUT" not in answer.content.decode()


class TestEntry:
    def test_shows_both_sides(self, client, auditor):
        made = record(
            action="asset.changed",
            subject=cast.asset("BTC"),
            before={"name": "Bit", "kind": "native"},
            after={"name": "Bitcoin", "kind": "native"},
        )

        page = client.get(f"/audit/{made.pk}/").content.decode()

        assert "<del>Bit</del>" in page
        assert "<ins>Bitcoin</ins>" in page
        assert "<del>native</del>" not in page
        assert "Not sealed yet" in page
        assert reverse("admin:assets_asset_change", args=[cast.asset("BTC").pk]) in page

    def test_the_order_page_leads_to_its_trail(self, client, auditor):
        cast.desk_switch()
        trader = cast.person(Role.TRADER)
        cast.publish_book(cast.symbol())
        order = place(ticket=cast.ticket(trader), client_order_id="an-order-1", by=trader)

        page = client.get(f"/orders/{order.pk}/").content.decode()
        link = f"/audit/?kind=trading.order&amp;subject={order.pk}"
        assert link in page

        trail = client.get(link.replace("&amp;", "&")).content.decode()
        assert "order.placed" in trail
