"""Every page of the admin opens, or refuses, for every role; none falls over."""

import re

import pytest
from django.contrib import admin
from django.urls import reverse

from cqops.platform.access.policy import Role
from cqops.platform.access.tokens import issue
from tests import cast
from tests.canaries import MARKS
from trading.models import Order
from trading.services.tickets import place
from venues.models import VenueSymbol

# Every page of every model, which is more of them with each app.
pytestmark = [pytest.mark.django_db, pytest.mark.slow]


def _name(model):
    return f"admin:{model._meta.app_label}_{model._meta.model_name}"


@pytest.fixture
def some_of_everything():
    trader = cast.person(Role.TRADER, "tom")
    cast.desk_switch()
    cast.publish_book(cast.symbol())
    place(ticket=cast.ticket(trader), client_order_id="first-order", by=trader)
    issue(user=trader, name="strategy")


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.VIEWER])
def test_lists_and_forms_open_or_refuse(client, some_of_everything, role):
    client.force_login(cast.person(role))
    for model in admin.site._registry:
        pages = [reverse(f"{_name(model)}_changelist"), reverse(f"{_name(model)}_add")]
        pages += [
            reverse(f"{_name(model)}_change", args=[row.pk]) for row in model.objects.all()[:1]
        ]
        for page in pages:
            assert client.get(page).status_code in {200, 403}, page


def test_no_admin_page_deletes_anything(client, some_of_everything):
    client.force_login(cast.person(Role.ADMIN))
    for model in admin.site._registry:
        for row in model.objects.all()[:1]:
            page = reverse(f"{_name(model)}_delete", args=[row.pk])
            assert client.post(page, {"post": "yes"}).status_code == 403, page


def test_no_admin_page_shows_a_secret(client, some_of_everything):
    client.force_login(cast.person(Role.ADMIN))
    for model in admin.site._registry:
        for row in model.objects.all()[:1]:
            text = client.get(reverse(f"{_name(model)}_change", args=[row.pk])).content.decode()
            assert MARKS["venue secret"] not in text
            assert "sealed_secret" not in text
            assert "scrypt$" not in text


def test_amounts_are_shown_exactly_and_without_padding(client, some_of_everything):
    client.force_login(cast.person(Role.ADMIN))
    order = Order.objects.get()
    VenueSymbol.objects.update(quantity_step="0.00000001")
    pages = [
        reverse("admin:trading_order_changelist"),
        reverse("admin:trading_order_change", args=[order.pk]),
        reverse("admin:venues_venuesymbol_changelist"),
        reverse("admin:venues_venuesymbol_change", args=[order.symbol_id]),
    ]
    for page in pages:
        text = client.get(page).content.decode()
        assert re.search(r"\.\d*0{10}", text) is None, page
        assert re.search(r"\dE-\d", text) is None, page
