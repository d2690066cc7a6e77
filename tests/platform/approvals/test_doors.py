"""The same engine behind every door: page, REST and admin ask it, and none goes around it."""

import csv
import io

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from cqops.platform.access.policy import Role
from cqops.platform.access.tokens import issue, own_actions
from cqops.platform.approvals.models import Decision, Group, Proposal, Request, Rule
from cqops.platform.approvals.services import State, Verdict, decide, withdraw
from tests import cast

pytestmark = pytest.mark.django_db


def state_of(request):
    return Request.objects.get(pk=request.pk).state


def page_of(request):
    return reverse("approval", args=[request.pk])


def press(client, request, verdict, reason="", seen=None):
    body = {
        "verdict": verdict,
        "reason": reason,
        "seen_hash": seen or request.instruction_hash,
    }
    return client.post(reverse("approval-decide", args=[request.pk]), body, follow=True)


def api_of(user):
    """Come in as a program that may decide, because a second person agreed to that."""
    api = APIClient()
    text = cast.agreed_token(user, [one.value for one in own_actions(user)])
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return api


def post(api, request, **body):
    address = f"/api/v1/approvals/{request.pk}/decide"
    return api.post(address, {"seen_hash": request.instruction_hash, **body}, format="json")


def run_action(client, action, requests, reason=""):
    body = {
        "action": action,
        "_selected_action": [str(one.pk) for one in requests],
        "reason": reason,
    }
    return client.post(reverse("admin:approvals_request_changelist"), body, follow=True)


class TestThePage:
    def test_evidence_stands_before_the_buttons(self, client, asked, approver):
        request = asked("10.50")
        client.force_login(approver)
        page = client.get(page_of(request)).content.decode()
        assert page.index("10.50") < page.index('id="approve"')
        assert page.index("Who has to agree") < page.index('id="approve"')
        assert request.instruction_hash in page

    def test_approving_and_refusing(self, client, asked, approver):
        client.force_login(approver)
        yes, no = asked(), asked()
        assert "Approved" in press(client, yes, "approve").content.decode()
        assert "Say why" in press(client, no, "refuse").content.decode()
        assert state_of(no) == State.PENDING
        press(client, no, "refuse", "Not today.")
        assert (state_of(yes), state_of(no)) == (State.APPROVED, State.REFUSED)

    def test_a_lost_race_is_news_and_not_an_error(self, client, asked, approver):
        request = asked()
        other = cast.person(Role.APPROVER, "otto")
        decide(
            request_id=request.pk,
            by=other,
            verdict=Verdict.APPROVE,
            seen_hash=request.instruction_hash,
        )
        client.force_login(approver)
        page = press(client, request, "approve").content.decode()
        assert "Already approved by otto" in page
        assert "message-error" not in page

    def test_nonsense_decides_nothing(self, client, asked, approver):
        request = asked()
        client.force_login(approver)
        press(client, request, "perhaps")
        press(client, request, "approve", seen="0" * 64)
        assert state_of(request) == State.PENDING

    def test_the_requester_sees_it_and_can_only_withdraw(self, client, asked, trader):
        request = asked()
        cast.grant(trader, Role.APPROVER)
        client.force_login(trader)
        page = client.get(page_of(request)).content.decode()
        assert 'id="approve"' not in page
        assert "somebody else has to decide" in page
        assert "You asked for it" in press(client, request, "approve").content.decode()
        assert state_of(request) == State.PENDING
        client.post(reverse("approval-withdraw", args=[request.pk]))
        assert state_of(request) == State.WITHDRAWN

    def test_nobody_else_withdraws(self, client, asked, approver):
        request = asked()
        client.force_login(approver)
        client.post(reverse("approval-withdraw", args=[request.pk]))
        assert state_of(request) == State.PENDING

    def test_a_steward_decides_about_the_registry_and_nothing_else(self, client, asked):
        request = asked()
        client.force_login(cast.person(Role.STEWARD))
        assert press(client, request, "approve").status_code == 200
        assert state_of(request) == State.PENDING

    @pytest.mark.parametrize("role", [Role.TRADER, Role.AUDITOR, Role.VIEWER, None])
    def test_without_the_power_the_door_stays_shut(self, client, asked, role):
        request = asked()
        client.force_login(cast.person(role))
        assert press(client, request, "approve").status_code == 403
        assert state_of(request) == State.PENDING

    def test_a_decision_asks_who_it_is_when_that_was_long_ago(self, client, asked, approver):
        request = asked()
        client.force_login(approver)
        session = client.session
        session["fresh_at"] = 0
        session.save()
        assert "Confirm that it is you" in client.get(page_of(request)).content.decode()
        body = {"verdict": "approve", "seen_hash": request.instruction_hash}
        answer = client.post(reverse("approval-decide", args=[request.pk]), body)
        assert answer["Location"].startswith(reverse("confirm"))
        assert state_of(request) == State.PENDING

    def test_what_belongs_to_another_account_is_not_there(self, client, asked):
        account = cast.account()
        other = cast.account("Other")
        request = asked(about=account)
        near = cast.person(Role.APPROVER, scope="account", scope_id=account.pk)
        far = cast.person(Role.APPROVER, scope="account", scope_id=other.pk)
        for person, status in ((near, 200), (far, 404)):
            client.force_login(person)
            assert client.get(page_of(request)).status_code == status


class TestTheInbox:
    def titles(self, client, tab):
        page = client.get(reverse("approvals"), {"tab": tab})
        return [asked.title for asked, _ in page.context["lines"]]

    def test_each_tab_holds_what_its_name_says(self, client, asked, approver, trader):
        mine, own, over = asked("1"), asked("2", by=trader), asked("3")
        withdraw(request_id=over.pk, by=trader)
        client.force_login(approver)
        assert len(self.titles(client, "mine")) == 2
        assert self.titles(client, "others") == []
        assert len(self.titles(client, "all")) == 3
        client.force_login(trader)
        assert self.titles(client, "mine") == []
        assert set(self.titles(client, "others")) == {mine.title, own.title}

    def test_the_most_urgent_comes_first_and_pages_follow_without_gap(
        self, client, asked, approver
    ):
        made = [asked(str(n), minutes=60 - n, title=f"n{n:02}") for n in range(60)][::-1]
        client.force_login(approver)
        first = client.get(reverse("approvals")).context
        second = client.get(reverse("approvals"), {"before": first["next_cursor"]}).context
        seen = [row.title for part in (first, second) for row, _ in part["lines"]]
        assert seen == [one.title for one in made]
        assert client.get(reverse("approvals"), {"before": "broken"}).status_code == 302

    def test_the_number_beside_the_navigation(self, client, asked, approver):
        asked()
        client.force_login(approver)
        assert ">1<span" in client.get(reverse("approvals-count")).content.decode()
        page = client.get(reverse("overview")).content.decode()
        assert 'id="approvals-count"' in page
        assert "Waits for your decision" in page
        client.force_login(cast.person(Role.ADMIN))
        assert client.get(reverse("approvals-count")).content.decode().strip() == ""

    def test_filters_and_export_show_the_same(self, client, asked, approver):
        asked("1", title="to the cold wallet")
        asked("2", title="to the exchange")
        client.force_login(approver)
        answer = client.get(reverse("approvals"), {"q": "cold", "tab": "all", "format": "csv"})
        lines = list(csv.DictReader(io.StringIO(answer.content.decode())))
        assert [line["title"] for line in lines] == ["to the cold wallet"]

    def test_an_empty_inbox_says_when_it_looked(self, client, approver):
        client.force_login(approver)
        page = client.get(reverse("approvals")).content.decode()
        assert "Nothing needs you." in page
        assert "Last checked at <time" in page


class TestRest:
    def test_listed_read_and_decided(self, asked, approver):
        request = asked("10.50")
        api = api_of(approver)
        found = api.get("/api/v1/approvals", {"tab": "mine"}).json()["results"]
        assert [one["id"] for one in found] == [str(request.pk)]
        one = api.get(f"/api/v1/approvals/{request.pk}").json()
        assert one["instruction"] == {"Amount": "10.50", "To": "cold wallet"}
        assert one["progress"] == "0 of 1 One other person"
        assert post(api, request, verdict="refuse").status_code == 422
        answer = post(api, request, verdict="approve")
        assert (answer.status_code, answer.json()["state"]) == (200, "approved")
        again = post(api, request, verdict="approve")
        assert again.status_code == 409
        assert "Already approved by alma" in again.json()["detail"]

    def test_the_requester_is_refused(self, asked, trader):
        cast.grant(trader, Role.APPROVER)
        request = asked()
        answer = post(api_of(trader), request, verdict="approve")
        assert answer.status_code == 403
        assert "You asked for it" in answer.json()["detail"]
        assert not Decision.objects.filter(request=request).exists()

    def test_without_the_hash_or_with_another_nothing_is_decided(self, asked, approver):
        request = asked()
        api = api_of(approver)
        address = f"/api/v1/approvals/{request.pk}/decide"
        assert api.post(address, {"verdict": "approve"}, format="json").status_code == 400
        assert post(api, request, verdict="approve", seen_hash="0" * 64).status_code == 409
        assert post(api, request, verdict="maybe").status_code == 400
        assert state_of(request) == State.PENDING

    def test_a_program_decides_only_where_a_second_person_agreed_that_it_may(self, asked, approver):
        request = asked()
        api = APIClient()
        api.credentials(HTTP_AUTHORIZATION=f"Bearer {issue(user=approver, name='seeded')}")

        assert post(api, request, verdict="approve").status_code == 403
        assert not Decision.objects.filter(request=request).exists()
        assert post(api_of(approver), request, verdict="approve").status_code == 200

    def test_a_person_in_a_browser_confirms_first_as_on_the_page(self, client, asked, approver):
        request = asked()
        client.force_login(approver)
        session = client.session
        fresh_at = session["fresh_at"]
        session["fresh_at"] = 0
        session.save()
        body = {"verdict": "approve", "seen_hash": request.instruction_hash}
        address = f"/api/v1/approvals/{request.pk}/decide"

        answer = client.post(address, body, content_type="application/json")
        assert answer.status_code == 403
        assert "Confirm it there" in answer.json()["detail"]
        assert answer.json()["confirm_at"] == reverse("confirm")
        assert state_of(request) == State.PENDING

        session["fresh_at"] = fresh_at
        session.save()
        answer = client.post(address, body, content_type="application/json")
        assert (answer.status_code, answer.json()["state"]) == (200, "approved")

    def test_strangers_and_viewers_see_nothing(self, asked):
        request = asked()
        assert APIClient().get("/api/v1/approvals").status_code == 401
        viewer = api_of(cast.person(Role.VIEWER))
        assert viewer.get("/api/v1/approvals").status_code == 403
        assert post(viewer, request, verdict="approve").status_code == 403


class TestTheAdmin:
    def test_one_is_approved_and_many_are_refused(self, client, asked, approver):
        client.force_login(approver)
        one, two, three = asked("1"), asked("2"), asked("3")
        run_action(client, "approve", [one])
        run_action(client, "approve", [two, three])
        run_action(client, "refuse", [two])
        assert [state_of(r) for r in (one, two, three)] == ["approved", "pending", "pending"]
        run_action(client, "refuse", [two, three], "Both are too large.")
        assert [state_of(r) for r in (two, three)] == ["refused", "refused"]

    def test_the_requester_is_refused(self, client, asked, trader):
        cast.grant(trader, Role.APPROVER)
        request = asked()
        client.force_login(trader)
        page = run_action(client, "approve", [request]).content.decode()
        assert "You asked for it" in page
        assert state_of(request) == State.PENDING

    def test_an_admin_has_no_part_in_it(self, client, asked):
        request = asked()
        client.force_login(cast.person(Role.ADMIN))
        run_action(client, "approve", [request])
        assert state_of(request) == State.PENDING

    def test_saving_a_rule_asks_instead(self, client, approver):
        Group.objects.get_or_create(name="Approvers", defaults={"role": "approver"})
        client.force_login(cast.person(Role.ADMIN, "adam"))
        body = {
            "name": "Tier two",
            "position": 5,
            "is_enabled": "on",
            "kind": "trading.order",
            "needs": "1 Approvers",
        }
        address = reverse("admin:approvals_rule_add")
        page = client.post(address, body, follow=True).content.decode()
        assert "Nothing changes before another person agrees" in page
        assert not Rule.objects.filter(name="Tier two").exists()
        assert Proposal.objects.get().content["name"] == "Tier two"
        for needs, words in (("2 Approvers", "Nobody could meet"), ("1 Ghosts", "not a number")):
            answer = client.post(address, {**body, "name": "Other", "needs": needs})
            assert words in answer.content.decode()
        assert Proposal.objects.count() == 1

    def test_an_approver_reads_rules_and_changes_none(self, client, approver):
        rule = Rule.objects.create(name="A rule")
        client.force_login(approver)
        address = reverse("admin:approvals_rule_change", args=[rule.pk])
        assert client.get(address).status_code == 200
        assert client.post(address, {"name": "Other"}).status_code == 403
        assert client.get(reverse("admin:approvals_rule_add")).status_code == 403


def test_a_long_inbox_asks_the_database_no_more_often_than_a_short_one(
    client, asked, approver, django_assert_max_num_queries
):
    client.force_login(approver)
    for number in range(30):
        asked(str(number))
    with django_assert_max_num_queries(45):
        client.get(reverse("approvals"))
