"""The pages of imports: each step of a batch says what it came to, and what is to do next."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from assets.models import ImportBatch
from assets.services.importing import progress
from assets.services.importing.asking import request_apply
from cqops.platform.approvals.models import Request
from tests.assets import stage
from tests.assets.importing.brought import applied, brought, table, worked

pytestmark = pytest.mark.django_db
ROW = f"UNI,Uniswap,token,uniswap,ethereum,{stage.USDC},18,"


@pytest.fixture(autouse=True)
def signed_in(client, steward):
    stage.chain()
    client.force_login(steward)


def page_of(client, batch, **asked):
    answer = client.get(reverse("import", args=[batch.pk]), asked)
    assert answer.status_code == 200
    return answer.content.decode()


def send(client, content, name="list.csv", **more):
    body = {"file": SimpleUploadedFile(name, content), **more}
    return client.post(reverse("import-upload"), body, follow=True).content.decode()


def test_a_file_is_taken_in_and_asks_for_its_columns(client):
    page = send(client, table(ROW), source="Issuer")

    assert "Which column is what" in page
    assert "<option selected>coingecko</option>" in page
    batch = ImportBatch.objects.get()
    assert (batch.source, batch.file_name, batch.state) == ("Issuer", "list.csv", "mapping")
    client.post(reverse("import-columns", args=[batch.pk]), batch.mapping)
    batch.refresh_from_db()
    assert batch.state == "checking"


@pytest.mark.parametrize(
    ("content", "words"),
    [(b" ", "The file is empty"), (b"a,\xff\n", "not written in UTF-8")],
)
def test_what_cannot_be_read_is_told_and_not_kept(client, content, words):
    page = send(client, content)
    assert "Nothing was taken in." in page
    assert words in page
    assert not ImportBatch.objects.exists()
    assert (
        "Choose a file first" in client.post(reverse("import-upload"), follow=True).content.decode()
    )


def test_progress_is_shown_while_a_worker_has_it_and_then_the_page_is_drawn_anew(client, steward):
    send(client, json.dumps([]).encode(), name="coins.json")
    batch = ImportBatch.objects.get()
    assert batch.state == "checking"
    progress.note(batch.pk, "reading the file", 10)
    assert "Being read: reading the file" in page_of(client, batch, seen="checking")

    worked(batch)

    moved = client.get(reverse("import", args=[batch.pk]), {"seen": "checking"})
    assert moved["HX-Refresh"] == "true"
    assert "The file has no lines." in page_of(client, batch)


def test_the_lines_are_filtered_paged_and_taken_out(client, steward):
    rows = [f"T{n},Token {n},,t-{n},,,," for n in range(120)]
    batch = brought(table(*rows, "BAD,,,bad,,,,", ROW), steward)

    page = page_of(client, batch)
    assert "1 line has errors. Nothing is applied as it is" in page
    assert page.count('data-label="Line"') == 100
    assert 'rel="next"' in page
    wrong = page_of(client, batch, outcome="error")
    assert "The name is missing." in wrong
    assert wrong.count('data-label="Line"') == 1
    assert page_of(client, batch, text="Token 77").count('data-label="Line"') == 1
    assert "No lines match this filter" in page_of(client, batch, text="nothing like it")
    taken = client.get(reverse("import", args=[batch.pk]), {"outcome": "error", "format": "csv"})
    lines = taken.content.decode().splitlines()
    assert lines[1].startswith("122,,error,The name is missing.,,BAD")
    assert len(lines) == 2
    broken = client.get(reverse("import", args=[batch.pk]), {"after": "x"}, follow=True)
    assert "This page link is broken" in broken.content.decode()


def test_it_is_asked_for_with_the_page_of_the_request_at_hand(client, steward, second):
    batch = brought(table(ROW), steward)
    assert "a second person has to agree to exactly these lines" in page_of(client, batch)

    client.post(reverse("import-apply", args=[batch.pk]), {"reason": "their list"})

    asked = Request.objects.get(kind="assets.import")
    page = page_of(client, batch)
    assert reverse("approval", args=[asked.pk]) in page
    assert "Somebody else has to decide" in page
    assert "Waits for a second person" in client.get(reverse("imports")).content.decode()
    assert str(batch) in client.get(reverse("approval", args=[asked.pk])).content.decode()


def test_what_stands_in_the_way_is_told(client, steward):
    batch = brought(table("BAD,,,bad,,,,"), steward)
    body = {"reason": "try"}
    answer = client.post(reverse("import-apply", args=[batch.pk]), body, follow=True)
    assert "1 line has errors, so nothing is applied" in answer.content.decode()


def test_an_applied_list_offers_its_undo_and_an_undone_one_its_end(client, steward):
    batch = applied(brought(table("UNI,Uniswap,,uniswap,,,,"), steward), steward)
    page = page_of(client, batch)
    assert "Take back what it brought, because" in page
    client.post(reverse("import-undo", args=[batch.pk]), {"reason": "wrong"})
    assert "Being undone" in page_of(client, batch)
    worked(batch)
    assert "It has come to its end" in page_of(client, batch)


def test_again_and_giving_up_are_buttons(client, steward):
    batch = brought(table(ROW), steward)
    client.post(reverse("import-again", args=[batch.pk]))
    worked(batch)
    client.post(reverse("import-drop", args=[batch.pk]))
    assert "Given up" in page_of(client, batch)


def test_who_only_looks_sees_the_lines_and_no_form(client, steward, approver):
    batch = brought(table(ROW), steward)
    request_apply(batch_id=batch.pk, reason="x", by=steward)
    client.force_login(approver)
    page = page_of(client, batch)
    assert "UNI" in page
    assert '<form class="form"' not in page
    assert "Bring a list in" not in client.get(reverse("imports")).content.decode()
