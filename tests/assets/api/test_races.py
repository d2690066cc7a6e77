"""Everybody at once, over REST: one is taken, and the others are told so."""

from collections import Counter

import pytest
from django.db import connection

from assets.models import Asset, Chain, Deployment
from cqops.platform.access.policy import Role
from cqops.platform.approvals.models import Request
from tests import cast
from tests.assets import stage
from tests.assets.api.calling import program_of
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


def statuses_of(calls):
    answers = []
    all_at_once(*(lambda call=call: answers.append(call()) for call in calls))
    found = Counter(answer.status_code for answer in answers)
    refused = [answer for answer in answers if answer.status_code >= 400]
    assert all(one["Content-Type"] == "application/problem+json" for one in refused)
    return found


def test_fifty_creates_of_one_address_give_one_request_one_row_and_49_conflicts():
    chain = stage.chain()
    approver = cast.person(Role.APPROVER)
    steward = cast.person(Role.STEWARD)
    token = program_of(steward)
    assets = [stage.asset("USDC", f"Coin {number}") for number in range(CROWD)]
    spellings = [stage.USDC, stage.USDC.lower(), "0x" + stage.USDC[2:].upper()]

    def create(number):
        body = {"chain": chain.pk, "decimals": 6, "source": "list", "reason": "found"}
        body |= {"asset": assets[number].pk, "address": spellings[number % 3]}
        return lambda: token.post("deployments", **body)

    assert statuses_of([create(number) for number in range(CROWD)]) == {202: 1, 409: CROWD - 1}

    cast.approve(Request.objects.get(), approver)
    assert Deployment.objects.count() == 1
    assert create(7)().status_code == 409


def test_fifty_registrations_of_one_chain_give_one_and_49_conflicts():
    api = program_of(cast.person(Role.STEWARD))
    body = {"id": "base", "name": "Base", "family": "evm"}
    calls = [lambda: api.post("chains", **body)] * CROWD
    assert statuses_of(calls) == {201: 1, 409: CROWD - 1}
    assert Chain.objects.count() == 1


def test_of_ten_editors_of_one_version_nine_get_the_present_one():
    api = program_of(cast.person(Role.STEWARD))
    asset = stage.asset("SOL")

    def edit(number):
        return lambda: api.patch(f"assets/{asset.pk}", seen=1, name=f"Name {number}")

    assert statuses_of([edit(number) for number in range(10)]) == {200: 1, 412: 9}
    assert Asset.objects.get().version == 2
