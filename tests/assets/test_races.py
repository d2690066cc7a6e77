"""Everybody at once: one of them says it, and the others are told what stands."""

from collections import Counter

import pytest
from django.db import connection

from assets.errors import Conflict, GoesRound, Stale
from assets.models import Deployment, Merge, Relationship
from assets.services.catalogue import update_asset
from assets.services.deployments import propose_deployment
from assets.services.merging import record_merge
from assets.services.relations import relate
from cqops.platform.access.allowances import seeding
from cqops.platform.access.policy import Role
from cqops.platform.approvals.errors import AlreadyAsked
from cqops.platform.approvals.models import Request
from tests import cast
from tests.assets import stage
from tests.platform.approvals.test_races import all_at_once

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
CROWD = 50


@pytest.fixture(autouse=True)
def _wide_pool():
    pool = connection.pool
    before = pool.min_size, pool.max_size
    pool.resize(1, 80)
    yield
    pool.resize(*before)


def outcomes_of(jobs, *, refusals):
    outcomes = []

    def run(job):
        try:
            job()
        except refusals as error:
            outcomes.append(type(error).__name__)
        else:
            outcomes.append("done")

    all_at_once(*(lambda job=job: run(job) for job in jobs))
    return Counter(outcomes)


def test_fifty_creates_of_one_address_give_one_row_and_49_conflicts():
    stage.chain()
    assets = [stage.asset("USDC", f"Coin {number}") for number in range(CROWD)]
    spellings = [stage.USDC, stage.USDC.lower(), "0x" + stage.USDC[2:].upper()]

    def create(number):
        return lambda: stage.deployed(assets[number], spellings[number % 3])

    found = outcomes_of([create(number) for number in range(CROWD)], refusals=Conflict)

    assert found == {"done": 1, "Conflict": CROWD - 1}
    assert Deployment.objects.count() == 1


def test_fifty_questions_about_one_address_give_one_request():
    stage.chain()
    cast.person(Role.APPROVER)
    steward = cast.person(Role.STEWARD)
    assets = [stage.asset("USDC", f"Coin {number}") for number in range(CROWD)]

    def ask(asset):
        return lambda: propose_deployment(
            asset_id=asset.pk,
            chain_id="ethereum",
            address=stage.USDC,
            decimals=6,
            source="list",
            reason="found",
            by=steward,
        )

    found = outcomes_of([ask(asset) for asset in assets], refusals=AlreadyAsked)

    assert found == {"done": 1, "AlreadyAsked": CROWD - 1}
    assert Request.objects.count() == 1


def test_of_many_editors_of_one_version_one_wins():
    asset = stage.asset("SOL")

    def edit(number):
        return lambda: update_asset(
            asset_id=asset.pk, expected_version=1, changes={"name": f"Name {number}"}
        )

    assert outcomes_of([edit(n) for n in range(10)], refusals=Stale) == {"done": 1, "Stale": 9}


def test_two_who_close_a_circle_at_once_do_not():
    """Each alone would be right: neither sees the other before it commits."""
    for number in range(5):
        one, two, three = (stage.asset(f"{name}{number}") for name in ("ONE", "TWO", "TRI"))
        pairs = [(one, two), (two, three), (three, one)]

        def say(pair):
            return lambda: relate(
                asset_id=pair[0].pk, kind="wraps", other_id=pair[1].pk, source="x", by=None
            )

        found = outcomes_of([say(pair) for pair in pairs], refusals=GoesRound)

        assert found == {"done": 2, "GoesRound": 1}
    assert Relationship.objects.count() == 10


def test_of_merges_that_would_meet_crosswise_one_is_taken():
    """Each alone would be right: neither sees the other before it commits."""

    def merge(pair):
        def act():
            with seeding():
                record_merge(asset_id=pair[0].pk, into_id=pair[1].pk, by=None)

        return act

    for number in range(5):
        one, two, three = (stage.asset(f"{name}{number}") for name in ("ONE", "TWO", "TRI"))

        crosswise = outcomes_of([merge((one, two)), merge((two, one))], refusals=Conflict)

        assert crosswise == {"done": 1, "Conflict": 1}
        lone = [merge((three, one)), merge((three, two))]
        # Into the one that goes on, or into none: what answers as another takes nothing in.
        assert outcomes_of(lone, refusals=Conflict) == {"done": 1, "Conflict": 1}
    assert Merge.objects.count() == 10


def test_a_merge_and_a_canonical_contract_at_once_leave_one_canonical_contract():
    stage.chain()
    for number in range(5):
        one, two = stage.asset(f"ONE{number}"), stage.asset(f"TWO{number}")
        stage.deployed(one, f"0x{number:040x}", is_canonical=True)

        def merge(one=one, two=two):
            with seeding():
                record_merge(asset_id=one.pk, into_id=two.pk, by=None)

        def deploy(two=two, number=number):
            stage.deployed(two, f"0x{number + 100:040x}", is_canonical=True)

        assert outcomes_of([merge, deploy], refusals=Conflict) == {"done": 1, "Conflict": 1}
