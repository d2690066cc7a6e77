"""Lists of the registry cost the same however many rows there are, and are searched by what an index finds."""

import pytest
from django.urls import reverse

from assets import admin_lists
from assets.admin_lists import Estimated
from assets.models import Asset, QualityFlag
from assets.services.flags import raise_flag
from assets.services.identifiers import add_identifier
from assets.services.relations import relate
from tests.assets import stage

pytestmark = pytest.mark.django_db
MOST_QUERIES = 12
LISTS = (
    *("asset", "chain", "assetgroup", "alias", "identifier", "deployment", "groupmember"),
    *("relationship", "qualityflag"),
)


@pytest.fixture
def desk(client, steward):
    client.force_login(steward)
    return client


@pytest.fixture
def sol(steward):
    made = stage.asset("SOL", "Solana")
    add_identifier(asset_id=made.pk, scheme="coingecko", value="the-sun", source="x", by=steward)
    relate(
        asset_id=stage.asset("WSOL", "Wrapped").pk,
        kind="wraps",
        other_id=made.pk,
        source="x",
        by=steward,
    )
    raise_flag(flag=QualityFlag(asset=made, kind="scam", severity=30, note="smells"), by=steward)
    return made


def found(desk, model, text):
    page = desk.get(reverse(f"admin:assets_{model}_changelist"), {"q": text})
    return page.context["cl"].result_count


@pytest.mark.parametrize("model", LISTS)
def test_a_list_takes_few_queries(desk, sol, model, django_assert_max_num_queries):
    address = reverse(f"admin:assets_{model}_changelist")
    desk.get(address)
    with django_assert_max_num_queries(MOST_QUERIES):
        assert desk.get(address).status_code == 200


@pytest.mark.parametrize(
    ("model", "texts"),
    [
        ("asset", ["sol", "olan", "  Solana "]),
        ("alias", ["sol", "SOLANA"]),
        ("identifier", ["the-sun", "solana"]),
        ("relationship", ["solana", "wrapped"]),
        ("qualityflag", ["solana", "smells"]),
    ],
)
def test_what_is_said_is_found_by_its_asset_and_by_itself(desk, sol, model, texts):
    for text in texts:
        assert found(desk, model, text), text
    assert not found(desk, model, "nothing of the kind")


def test_a_row_is_found_by_its_id(desk, sol):
    assert found(desk, "asset", str(sol.pk)) == 1


def test_past_its_bound_a_whole_table_is_estimated_and_a_part_of_it_ends_there(sol, monkeypatch):
    for number in range(4):
        stage.asset(f"A{number}")
    assert Estimated(Asset.objects.all(), 10).count == 6
    monkeypatch.setattr(admin_lists, "COUNTED", 3)
    assert Estimated(Asset.objects.all(), 10).count >= 4
    assert Estimated(Asset.objects.filter(kind="token"), 10).count == 4
