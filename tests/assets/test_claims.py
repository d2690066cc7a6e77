# ruff: noqa: S608 -- the tables are named in this file
"""What PostgreSQL itself holds about claims, also against whoever comes past the services."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.models import (
    Alias,
    Asset,
    AssetGroup,
    Deployment,
    GroupMember,
    Identifier,
    QualityFlag,
    Relationship,
    Severity,
)
from cqops.platform.access.allowances import seeding
from tests.assets import stage
from tests.assets.stage import APR, FEB, JAN, MAR

pytestmark = pytest.mark.django_db


def refused(what, match="", error=IntegrityError):
    with pytest.raises(error, match=match), transaction.atomic():
        what()


def alias(one, ticker="AAA", **more):
    return Alias.objects.create(asset=one, ticker=ticker, source="test", **more)


@pytest.fixture
def claims():
    """Make one of each kind of claim."""
    one, other = stage.asset("ONE"), stage.asset("TWO")
    group = stage.group()
    return {
        "alias": alias(one),
        "identifier": Identifier.objects.create(
            asset=one, scheme="coingecko", value="one", source="test"
        ),
        "deployment": stage.deployed(one),
        "relationship": Relationship.objects.create(
            asset=one, kind="wraps", other=other, source="test"
        ),
        "groupmember": GroupMember.objects.create(group=group, asset=one, source="test"),
    }


KINDS = ["alias", "identifier", "deployment", "relationship", "groupmember"]


@pytest.mark.parametrize("kind", KINDS)
class TestAnyClaim:
    def test_is_never_edited_or_deleted(self, claims, kind):
        key = claims[kind].pk
        for text in (
            f"UPDATE assets_{kind} SET source = 'somebody else' WHERE id = %s",
            f"UPDATE assets_{kind} SET valid_to = now() WHERE id = %s",
            f"UPDATE assets_{kind} SET recorded_at = now() - interval '1 day' WHERE id = %s",
            f"DELETE FROM assets_{kind} WHERE id = %s",
        ):
            with seeding():  # not even what seeds a desk may
                refused(lambda text=text: stage.run_sql(text, key), "superseded")

    def test_is_superseded_once_and_now(self, claims, kind):
        key = claims[kind].pk
        supersede = f"UPDATE assets_{kind} SET superseded_at = %s WHERE id = %s"
        with seeding():
            stage.run_sql(supersede, timezone.now(), key)
            refused(lambda: stage.run_sql(supersede, timezone.now(), key), "superseded once")
            refused(lambda: stage.run_sql(supersede, None, key), "superseded once")

    def test_is_not_recorded_for_a_time_gone_by(self, claims, kind):
        row = claims[kind]
        row.pk = None
        row.recorded_at = timezone.now() - timedelta(hours=1)
        refused(lambda: type(row).objects.bulk_create([row]), "recorded when it is recorded")

    def test_table_is_not_emptied(self, claims, kind):
        stage.run_sql("SET CONSTRAINTS ALL IMMEDIATE")
        refused(lambda: stage.run_sql(f"TRUNCATE assets_{kind}"), "is kept")

    def test_is_true_for_a_while_and_has_a_source(self, claims, kind):
        names = [
            field.column
            for field in type(claims[kind])._meta.concrete_fields
            if not field.generated and field.name != "id"
        ]
        now = {"valid_from": "now()", "valid_to": "now()"}
        for wrong, match in ((now, "true_for_a_while"), ({"source": "''"}, "has_a_source")):
            copy = (
                f"INSERT INTO assets_{kind} (id, {', '.join(names)}) SELECT gen_random_uuid(),"
                f" {', '.join(wrong.get(name, name) for name in names)} FROM assets_{kind}"
            )
            with seeding():
                refused(lambda copy=copy: stage.run_sql(copy), match)


@pytest.mark.parametrize("kind", ["deployment", "identifier"])
def test_being_looked_at_moves_forward_only(claims, kind):
    key = claims[kind].pk
    seen = f"UPDATE assets_{kind} SET last_verified_at = %s WHERE id = %s"
    stage.run_sql(seen, FEB, key)
    stage.run_sql(seen, MAR, key)
    refused(lambda: stage.run_sql(seen, JAN, key), "not taken back")
    refused(lambda: stage.run_sql(seen, None, key), "not taken back")


# Two different days in their order.
SPAN = st.lists(st.integers(0, 6), min_size=2, max_size=2, unique=True).map(sorted)


class TestTwoClaims:
    """No two may contradict each other, at any pair of the two clocks."""

    def test_an_address_is_one_asset_in_any_letters(self):
        one, two = stage.asset("ONE"), stage.asset("TWO")
        stage.deployed(one, stage.USDC)
        row = {"asset": two, "chain": stage.chain(), "decimals": 6, "source": "test"}
        with seeding():
            for address in (stage.USDC, stage.USDC.lower(), "0x" + stage.USDC[2:].upper()):
                refused(
                    lambda address=address: Deployment.objects.create(address=address, **row),
                    "one_asset_an_address",
                )

    def test_an_asset_has_one_canonical_contract_a_chain(self):
        one = stage.asset("ONE")
        stage.deployed(one, stage.USDC, is_canonical=True)
        with seeding():
            refused(
                lambda: Deployment.objects.create(
                    asset=one,
                    chain=stage.chain(),
                    address=stage.WETH,
                    decimals=6,
                    is_canonical=True,
                    source="test",
                ),
                "one_canonical_deployment",
            )

    def test_an_id_means_one_asset_at_a_time(self):
        one, two = stage.asset("ONE"), stage.asset("TWO")
        said = {"scheme": "coingecko", "value": "matic", "source": "test"}
        Identifier.objects.create(asset=one, valid_to=FEB, **said)
        Identifier.objects.create(asset=two, valid_from=FEB, **said)
        refused(
            lambda: Identifier.objects.create(asset=two, valid_from=JAN, valid_to=FEB, **said),
            "identifier_means_one_asset",
        )

    def test_two_assets_may_share_a_ticker_but_one_says_it_once(self):
        one, two = stage.asset("AAA"), stage.asset("AAA")
        refused(lambda: alias(one, "aaa"), "alias_said_once")
        assert Alias.objects.filter(ticker="AAA").count() == 2
        refused(lambda: alias(two, "BBB", is_primary=True), "one_primary_alias_an_asset")

    def test_a_group_has_one_canonical_member_and_an_asset_one_group_for_each(self):
        one, two = stage.asset("ONE"), stage.asset("TWO")
        eth, staked = stage.group("ETH"), stage.group("stETH")
        with seeding():
            GroupMember.objects.create(
                group=eth, asset=one, source="t", is_canonical=True, is_for_risk=True
            )
            refused(
                lambda: GroupMember.objects.create(
                    group=eth, asset=two, source="t", is_canonical=True
                ),
                "one_canonical_member",
            )
        refused(
            lambda: GroupMember.objects.create(group=eth, asset=one, source="t"),
            "member_of_a_group_once",
        )
        refused(
            lambda: GroupMember.objects.create(
                group=staked, asset=one, source="t", is_for_risk=True
            ),
            "one_group_for_risk",
        )
        GroupMember.objects.create(group=staked, asset=one, source="t", is_for_pnl=True)
        other = stage.group("PNL")
        refused(
            lambda: GroupMember.objects.create(group=other, asset=one, source="t", is_for_pnl=True),
            "one_group_for_pnl",
        )

    def test_a_superseded_claim_stands_in_nobodys_way(self):
        one = stage.asset("ONE")
        first = alias(one, "XXX")
        stage.run_sql(
            "UPDATE assets_alias SET superseded_at = %s WHERE id = %s", timezone.now(), first.pk
        )
        alias(one, "XXX", recorded_at=timezone.now())
        assert Alias.objects.known().filter(ticker="XXX").count() == 1

    @pytest.mark.slow
    @settings(
        suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25
    )
    @given(
        st.lists(
            st.tuples(SPAN, SPAN).map(lambda pair: (*pair[0], *pair[1])),
            min_size=2,
            max_size=4,
        ),
        st.tuples(st.integers(0, 6), st.integers(0, 6)),
    )
    def test_at_no_pair_of_clocks_do_two_of_them_hold(self, spans, clocks):
        """Whatever PostgreSQL took in: at any two moments one of them holds at most, and is found."""
        with stage.tried():
            one = stage.asset("ONE")
            kept = []
            for since, until, recorded, superseded in spans:
                try:
                    with transaction.atomic():
                        alias(
                            one,
                            "SPAN",
                            valid_from=day(since),
                            valid_to=day(until),
                            recorded_at=day(recorded),
                            superseded_at=day(superseded),
                        )
                except IntegrityError:
                    assert any(_meet((since, until, recorded, superseded), other) for other in kept)
                else:
                    kept.append((since, until, recorded, superseded))
            true_at, known_at = clocks
            found = Alias.objects.at(as_of=day(true_at), known_at=day(known_at))
            holding = [
                span
                for span in kept
                if span[0] <= true_at < span[1] and span[2] <= known_at < span[3]
            ]
            assert found.filter(ticker="SPAN").count() == len(holding) <= 1


def day(number):
    return datetime(2026, 1, 1 + number, tzinfo=UTC)


def _meet(one, other):
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]


class TestRelationships:
    def relate(self, one, kind, other, **more):
        return Relationship.objects.create(asset=one, kind=kind, other=other, source="t", **more)

    def test_nothing_stands_on_itself(self):
        one = stage.asset("ONE")
        refused(lambda: self.relate(one, "wraps", one), "circle|no_loop")
        refused(lambda: self.relate(one, "synthetic_of", one), "relationship_is_no_loop")

    @pytest.mark.parametrize("kinds", [("wraps",) * 3, ("wraps", "stakes", "bridges")])
    def test_what_stands_on_another_goes_round_in_no_circle(self, kinds):
        one, two, three = (stage.asset(name) for name in ("ONE", "TWO", "TRI"))
        self.relate(one, kinds[0], two)
        self.relate(two, kinds[1], three)
        refused(lambda: self.relate(three, kinds[2], one), "circle")

    def test_migrating_has_a_circle_of_its_own_and_synthetics_have_none(self):
        one, two = stage.asset("ONE"), stage.asset("TWO")
        self.relate(one, "wraps", two)
        self.relate(two, "migrated_to", one)
        refused(lambda: self.relate(one, "migrated_to", two), "circle")
        self.relate(one, "synthetic_of", two)
        self.relate(two, "synthetic_of", one)

    def test_one_after_the_other_is_no_circle(self):
        one, two = stage.asset("ONE"), stage.asset("TWO")
        self.relate(one, "wraps", two, valid_to=FEB)
        self.relate(two, "wraps", one, valid_from=FEB)
        refused(lambda: self.relate(two, "stakes", one, valid_from=JAN, valid_to=MAR), "circle")

    @pytest.mark.parametrize(
        "wrong",
        [
            {"ratio_rule": "fixed"},
            {"ratio_rule": "fixed", "ratio": 0},
            {"ratio_rule": "fixed", "ratio": 1, "rate_source": "x"},
            {"ratio_rule": "rate"},
            {"ratio_rule": "rate", "rate_source": "x", "ratio": 1},
            {"ratio_rule": "none", "ratio": 1},
        ],
    )
    def test_a_ratio_fits_its_rule(self, wrong):
        one, two = stage.asset("ONE"), stage.asset("TWO")
        refused(lambda: self.relate(one, "wraps", two, **wrong), "ratio_fits_its_rule")
        self.relate(one, "wraps", two, ratio_rule="fixed", ratio=1)


class TestRegistered:
    @pytest.mark.parametrize("table", ["asset", "chain", "assetgroup"])
    def test_is_retired_never_deleted_and_changes_by_one_version(self, table):
        for make in (lambda: stage.asset("ONE"), stage.chain, stage.group):
            make()
        for text in (
            f"DELETE FROM assets_{table}",
            f"UPDATE assets_{table} SET name = 'another'",
            f"UPDATE assets_{table} SET version = version + 2",
            f"UPDATE assets_{table} SET version = version - 1",
        ):
            refused(lambda text=text: stage.run_sql(text), "retired|one version")
        stage.run_sql(f"UPDATE assets_{table} SET name = 'another', version = version + 1")

    @pytest.mark.parametrize("table", ["asset", "chain", "assetgroup"])
    def test_retires_with_a_reason(self, table):
        for make in (lambda: stage.asset("ONE"), stage.chain, stage.group):
            make()
        refused(
            lambda: stage.run_sql(
                f"UPDATE assets_{table} SET version = version + 1, retired_at = now()"
            ),
            "retires_with_a_reason",
        )

    def test_two_groups_never_go_by_one_symbol(self):
        stage.group("ETH")
        refused(
            lambda: AssetGroup.objects.create(canonical_symbol="eth", name="again"),
            "group_symbol_once",
        )


class TestFlags:
    def flag(self, **more):
        now = timezone.now()
        given = {"asset": stage.asset("BAD"), "kind": "scam", "severity": Severity.LOW}
        given |= {"source": "test", "note": "seen", "valid_from": now, "raised_at": now}
        return QualityFlag.objects.create(**{**given, **more})

    def test_is_never_edited_only_cleared_once(self):
        flag = self.flag()
        for text in (
            "UPDATE assets_qualityflag SET severity = 10 WHERE id = %s",
            "UPDATE assets_qualityflag SET note = 'nothing' WHERE id = %s",
            "DELETE FROM assets_qualityflag WHERE id = %s",
        ):
            refused(lambda text=text: stage.run_sql(text, flag.pk), "cleared")
        clear = "UPDATE assets_qualityflag SET cleared_at = %s, cleared_reason = %s WHERE id = %s"
        refused(lambda: stage.run_sql(clear, timezone.now(), "", flag.pk), "with_a_reason")
        stage.run_sql(clear, timezone.now(), "a mistake", flag.pk)
        refused(lambda: stage.run_sql(clear, timezone.now(), "again", flag.pk), "cleared once")
        refused(lambda: stage.run_sql(clear, None, "", flag.pk), "cleared once")

    @pytest.mark.parametrize("severity", [Severity.HIGH, Severity.CRITICAL])
    def test_what_is_severe_is_cleared_with_a_second_person(self, severity):
        flag = self.flag(severity=severity)
        clear = "UPDATE assets_qualityflag SET cleared_at = now(), cleared_reason = 'x'"
        refused(lambda: stage.run_sql(clear), "second person")
        assert QualityFlag.objects.standing(now=timezone.now()).get() == flag

    @pytest.mark.parametrize(
        ("wrong", "name"),
        [
            ({"note": ""}, "flag_shows_evidence"),
            ({"source": ""}, "flag_has_a_source"),
            ({"severity": 45}, "flag_severity_is_known"),
            ({"severity": Severity.HIGH, "expires_at": APR}, "never_lapses"),
        ],
    )
    def test_what_a_flag_must_be(self, wrong, name):
        refused(lambda: self.flag(**wrong), name)

    def test_stands_between_its_moments_on_both_clocks(self):
        flag = self.flag(valid_from=JAN, raised_at=FEB)
        stage.run_sql("UPDATE assets_qualityflag SET cleared_at = %s, cleared_reason = 'over'", APR)
        stands = [
            (as_of, known_at)
            for as_of in (JAN, FEB, MAR, APR)
            for known_at in (JAN, FEB, MAR, APR)
            if QualityFlag.objects.at(as_of=as_of, known_at=known_at).filter(pk=flag.pk).exists()
        ]
        known = [(as_of, known_at) for as_of in (JAN, FEB, MAR, APR) for known_at in (FEB, MAR)]
        assert stands == sorted([*known, *((as_of, APR) for as_of in (JAN, FEB, MAR))])


def test_what_assets_were_called_before_became_their_ticker(django_db_blocker):
    """The statement of the migration, on an asset that came before there were tickers."""
    from importlib import import_module  # noqa: PLC0415

    old = Asset.objects.create(symbol="OLD", name="Old", kind="token")
    text = import_module("assets.migrations.0002_the_registry").TICKERS
    with seeding(), connection.cursor() as cursor:
        cursor.execute(text.partition(";")[0])
    found = Alias.objects.get(asset=old)
    assert (found.ticker, found.is_primary, found.valid_from) == ("OLD", True, None)
    assert found.recorded_at == old.created_at
