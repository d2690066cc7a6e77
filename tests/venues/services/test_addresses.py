"""SIMULATED, SANDBOX and LIVE reach different places, whatever a row is called."""

import pytest
from django.core.exceptions import ValidationError

from cqops.platform.access.policy import Role
from tests import cast
from venues.interface.errors import Cause, NotSent
from venues.models import Venue
from venues.services.addresses import foreign_addresses, refusal
from venues.services.clients import open_client, open_public_client
from venues.services.registration import save_venue

HERE = ("http://127.0.0.1:9", "ws://127.0.0.1:9", "")
SIMULATOR = ("http://simulator:8600/x", "ws://simulator:8600/x/ws", "ws://simulator:8600/x/ws-user")
REAL = (
    "https://api.coinbase.com",
    "wss://advanced-trade-ws.coinbase.com",
    "wss://advanced-trade-ws-user.coinbase.com",
)
SANDBOX = ("https://api-sandbox.coinbase.com", "wss://sandbox.example", "")


def made(addresses=HERE, **changes):
    rest, ws, ws_user = addresses
    values = {"slug": "coinbase_advanced", "name": "Coinbase", "adapter": "coinbase_advanced"}
    return Venue(**values | changes, rest_url=rest, ws_url=ws, ws_user_url=ws_user)


@pytest.fixture(autouse=True)
def _a_simulator_elsewhere(settings):
    settings.SIMULATOR_URL = "http://simulator:8600"


@pytest.mark.parametrize(
    ("environment", "reached", "refused"),
    [
        ("SIMULATED", [HERE, SIMULATOR], [REAL, SANDBOX]),
        ("SANDBOX", [HERE, SANDBOX], [REAL]),
        ("LIVE", [REAL], [HERE, SIMULATOR, SANDBOX]),
    ],
)
def test_each_kind_of_installation_reaches_its_own_places_only(
    environment, reached, refused, settings
):
    settings.ENVIRONMENT = environment
    settings.LIVE_VENUES = ["coinbase_advanced"]
    assert [refusal(made(addresses)) for addresses in reached] == [""] * len(reached)
    assert all(refusal(made(addresses)) for addresses in refused)


@pytest.mark.parametrize(
    "disguise",
    [
        "https://API.Coinbase.com",
        "https://api.coinbase.com.",
        "https://api.coinbase.com:443/elsewhere",
        "https://simulator@api.coinbase.com",
        "http://api.coinbase.com",
        "wss://api.coinbase.com",
    ],
)
@pytest.mark.parametrize("environment", ["SIMULATED", "SANDBOX"])
def test_a_real_venue_is_known_in_every_spelling(environment, disguise, settings):
    settings.ENVIRONMENT = environment
    assert set(foreign_addresses(made((disguise, HERE[1], "")))) == {"rest_url"}


@pytest.mark.parametrize(
    "near", ["http://api.coinbase.com", "https://api.coinbase.com:8443", "https://coinbase.com"]
)
def test_a_live_address_is_the_real_one_to_the_letter(near, settings):
    settings.ENVIRONMENT = "LIVE"
    assert set(foreign_addresses(made((near, *REAL[1:])))) == {"rest_url"}


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://127.0.0.1", "http://", "http://[x"])
def test_what_is_no_address_is_never_reached(url):
    assert foreign_addresses(made((url, HERE[1], "")))["rest_url"]


def test_every_address_is_looked_at_and_not_only_the_first():
    assert set(foreign_addresses(made((HERE[0], *REAL[1:])))) == {"ws_url", "ws_user_url"}


def test_a_simulator_that_is_a_real_venue_is_refused_too(settings):
    settings.SIMULATOR_URL = "http://api.coinbase.com"
    assert refusal(made(("http://api.coinbase.com", HERE[1], "")))


def test_a_live_venue_stays_closed_until_it_is_named(settings):
    settings.ENVIRONMENT = "LIVE"
    settings.LIVE_VENUES = []
    assert "not named in LIVE_VENUES" in refusal(made(REAL))


@pytest.mark.django_db
def test_a_venue_with_an_address_of_another_kind_is_not_saved():
    with pytest.raises(ValidationError) as refused:
        save_venue(venue=made(REAL))
    assert set(refused.value.message_dict) == {"rest_url", "ws_url", "ws_user_url"}
    assert not Venue.objects.exists()
    save_venue(venue=made(HERE))
    assert Venue.objects.count() == 1


@pytest.mark.django_db
def test_a_row_that_came_in_another_way_is_not_called_either():
    account = cast.account()
    Venue.objects.update(rest_url=REAL[0])
    account.refresh_from_db()
    for attempt in (lambda: open_client(account), lambda: open_public_client(account.venue)):
        with pytest.raises(NotSent, match="is the real venue, and this is SIMULATED") as refused:
            attempt()
        assert refused.value.cause is Cause.PERMANENT


@pytest.mark.django_db
def test_a_form_says_beside_the_field_what_would_be_refused(client):
    admin = cast.person(Role.ADMIN)
    client.force_login(admin)
    rest, ws, ws_user = REAL
    values = {"slug": "new", "name": "New", "adapter": "nowhere", "environment": "SIMULATED"}
    addresses = {"rest_url": rest, "ws_url": ws, "ws_user_url": ws_user}
    page = client.post("/admin/venues/venue/add/", values | addresses)
    assert page.status_code == 200
    errors = page.context["adminform"].form.errors
    assert set(errors) == {"adapter", *addresses}
    assert "is the real venue, and this is SIMULATED" in errors["rest_url"][0]
