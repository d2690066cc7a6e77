"""The live smoke test is itself tested, on the simulator: what it tells, and what it keeps quiet."""

from dataclasses import replace

import pytest

from examples.own_simulator import simulated_venue
from tests.live import __main__ as runner
from tests.live.smoke import Smoke, Terms
from venues.adapters.registry import ADAPTERS, build_client
from venues.interface.errors import Cause, NotSent
from venues.interface.types import OPEN_STATUSES, OrderQuery

READING = Terms(symbol="BTC-USD", seconds=1.0, pause_seconds=0.01)
TRADING = replace(READING, may_trade=True)


async def smoke(slug, terms, **wrong):
    """Run it; return whether it was content, what it said, and which orders it left open."""
    said = []
    async with simulated_venue(slug) as (config, key):
        client = build_client(slug, config=config, key=key)
        whole = {name: getattr(client, name) for name in wrong}
        for name, replaced in wrong.items():
            setattr(client, name, replaced(whole[name]))
        try:
            secrets = (key.key_id, key.secret, *key.more.values())
            is_fine = await Smoke(client, terms, say=said.append, secrets=secrets).run()
            query = OrderQuery(symbols=("BTC-USD",), statuses=OPEN_STATUSES)
            left = (await client.get_orders(query)).items
        finally:
            await client.aclose()
    text = "\n".join(said)
    assert not any(secret in text for secret in secrets)
    return is_fine, text, left


@pytest.mark.slow
@pytest.mark.parametrize("slug", sorted(ADAPTERS))
async def test_it_reads_only_and_says_that_it_did_not_trade(slug):
    is_fine, said, left = await smoke(slug, READING)
    assert is_fine, said
    assert "NOT DONE: placing, looking up by both ids, cancelling" in said
    assert "Nothing was sent but questions; all that was tried works." in said
    assert not left


@pytest.mark.slow
@pytest.mark.parametrize("slug", sorted(ADAPTERS))
async def test_it_places_finds_and_cancels_when_told_to(slug):
    is_fine, said, left = await smoke(slug, TRADING)
    assert is_fine, said
    assert "and gone again" in said
    assert "ORDERS WERE SENT" in said
    assert not left


@pytest.mark.slow
async def test_a_step_that_fails_is_told_and_keeps_no_other_from_being_tried():
    def refuses(_whole):
        async def get_balance():
            message = "away"
            raise NotSent(message, cause=Cause.TEMPORARY)

        return get_balance

    is_fine, said, _ = await smoke("coinbase_exchange", READING, get_balance=refuses)
    assert not is_fine
    assert "FAIL  balances: NotSent: away" in said
    assert "ok    book:" in said
    assert "FAILED: balances" in said


@pytest.mark.slow
async def test_an_order_that_cannot_be_cancelled_is_told_loudly():
    def deaf(_whole):
        async def cancel_order(_ref):
            message = "away"
            raise NotSent(message, cause=Cause.TEMPORARY)

        return cancel_order

    is_fine, said, left = await smoke("coinbase_exchange", TRADING, cancel_order=deaf)
    assert not is_fine
    assert f"AN ORDER MAY STILL BE OPEN: BTC-USD, client id {left[0].client_order_id}" in said


def test_a_secret_in_an_error_is_not_printed():
    said = []
    Smoke(None, READING, say=said.append, secrets=["hush"])._say("refused: hush")
    assert said == ["refused: [key]"]


def test_a_key_is_read_from_variables_and_files(tmp_path):
    (tmp_path / "secret").write_text("c2VjcmV0\n")
    given = {
        "LIVE_TEST_KEY_ID": "k",
        "LIVE_TEST_SECRET_FILE": str(tmp_path / "secret"),
        "LIVE_TEST_PASSPHRASE": "p",
    }
    key = runner.read_key(ADAPTERS["coinbase_exchange"], given)
    assert (key.key_id, key.secret, dict(key.more)) == ("k", "c2VjcmV0", {"passphrase": "p"})


def test_without_a_key_nothing_is_tried(capsys):
    assert runner.main(["coinbase_advanced"], {}) == 2
    assert "Nothing was tried. LIVE_TEST_KEY_ID or LIVE_TEST_KEY_ID_FILE" in capsys.readouterr().err


def test_a_venue_nobody_knows_is_refused(capsys):
    assert runner.main(["moon"], {}) == 2
    assert "coinbase_advanced, coinbase_exchange" in capsys.readouterr().err


@pytest.mark.parametrize(("word", "may"), [("", False), ("1", False), ("no", False), ("yes", True)])
def test_it_trades_only_when_told_so_in_full(word, may):
    assert runner.read_terms({"LIVE_TEST_TRADE": word}).may_trade is may
