"""Whatever is sent, each endpoint answers as the OpenAPI document says it may, and never with a failure."""

import json
import re
import uuid
from functools import cache
from urllib.parse import quote

import jsonschema
import pytest
from django.db import transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from assets.api.urls import urlpatterns as of_assets
from assets.models import Alias, QualityFlag
from assets.services.flags import raise_flag
from assets.services.groups import add_member
from assets.services.identifiers import add_identifier
from assets.services.relations import relate
from tests import cast
from tests.assets import stage
from venues.api_symbol_urls import urlpatterns as of_symbols

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
# Halves of letters too: JSON can write them, and PostgreSQL cannot.
ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=12)
JUNK = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), ANY_TEXT),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(ANY_TEXT, st.integers(), max_size=2),
)
MOMENTS = st.one_of(
    st.datetimes(timezones=st.timezones()).map(lambda one: one.isoformat()),
    st.sampled_from(["2026-01-01T00:00:00Z", "2026-06-01T00:00:00+02:00", "2026-01-01"]),
)
ADDRESSES = st.sampled_from([stage.USDC, stage.WETH, stage.WETH.lower(), "0x12", "bc1q"])
TICKERS = st.sampled_from(["ONE", "TWO", "one", "ethereum", "BTC-USD", "coinbase_advanced"])


@cache
def document():
    return SchemaGenerator().get_schema(request=None, public=True)


def operations():
    own = {
        re.sub(r"<\w+:(\w+)>", r"{\1}", f"/api/v1/{one.pattern}")
        for one in [*of_assets, *of_symbols]
    }
    return [
        (method, path)
        for path, methods in document()["paths"].items()
        if path in own
        for method in methods
    ]


def followed(schema):
    while "$ref" in schema or "allOf" in schema:
        if "allOf" in schema:
            schema = {**schema, **schema["allOf"][0]}
            del schema["allOf"]
        else:
            name = schema["$ref"].rpartition("/")[2]
            schema = {**document()["components"]["schemas"][name]}
    return schema


def fitting(schema, ids):
    """Return values that fit a part of the document, as far as it can say so."""
    schema = followed(schema)
    if "oneOf" in schema:
        return st.one_of(*(fitting(one, ids) for one in schema["oneOf"]))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = {
        "object": objects,
        "array": lambda one, ids: st.lists(fitting(one["items"], ids), max_size=3),
        "boolean": lambda one, ids: st.booleans(),
        "integer": lambda one, ids: st.integers(one.get("minimum", 0), one.get("maximum", 200)),
    }
    return kinds.get(schema.get("type"), texts)(schema, ids)


def texts(schema, ids):
    match schema.get("format"):
        case "uuid":
            return st.one_of(st.sampled_from(ids), st.uuids().map(str))
        case "date-time":
            return MOMENTS
        case "date":
            return st.dates().map(str)
        case "decimal":
            return st.decimals(allow_nan=False).map(str)
    return st.one_of(TICKERS, ADDRESSES, ANY_TEXT)


def objects(schema, ids):
    """Return objects, most of them with what is needed, and now and then with something else."""
    if "properties" not in schema:
        return st.dictionaries(ANY_TEXT, JUNK, max_size=3)
    fields = {name: mostly(fitting(one, ids)) for name, one in schema["properties"].items()}
    needed = {name: fields.pop(name) for name in schema.get("required", [])}
    whole = st.fixed_dictionaries(needed, optional=fields)
    broken = st.one_of(JUNK, st.fixed_dictionaries({}, optional={**needed, **fields}))
    return st.one_of(whole, whole, whole, broken)


def mostly(values):
    return st.one_of(values, values, values, values, JUNK)


def plain(value):
    """Return a value as something that can stand in an address."""
    return str(value).encode("utf-8", "replace").decode()


@st.composite
def calls(draw, method, path, ids):
    said = document()["paths"][path][method]
    filled, asked, headers = path, {}, {}
    for one in said.get("parameters", []):
        values = fitting(one["schema"], ids)
        if one["in"] == "path":
            part = plain(draw(values)).replace("/", "-") or "-"
            filled = filled.replace(f"{{{one['name']}}}", quote(part, safe=""))
        elif one["in"] == "query" and draw(st.booleans()):
            asked[one["name"]] = plain(draw(mostly(values)))
        elif one["in"] == "header":
            headers["HTTP_IF_MATCH"] = draw(st.sampled_from(['"1"', '"2"', "*", "", "x"]))
    body = None
    if "requestBody" in said:
        body = draw(fitting(said["requestBody"]["content"]["application/json"]["schema"], ids))
    return filled, asked, body, headers


def as_json_schema(node):
    """Say `nullable` the way JSON Schema does."""
    if isinstance(node, list):
        return [as_json_schema(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {name: as_json_schema(one) for name, one in node.items() if name != "nullable"}
    return {"anyOf": [made, {"type": "null"}]} if node.get("nullable") is True else made


@cache
def components():
    return as_json_schema(document()["components"])


def refute(answer, method, path):
    """Fail unless the answer is one of those the document tells, in the form it tells."""
    told = document()["paths"][path][method]["responses"]
    words = f"{answer.status_code}: {answer.content.decode()[:500]}"
    assert str(answer.status_code) in told, words
    content = told[str(answer.status_code)].get("content")
    if content is None:
        assert not answer.content
        return
    assert answer["Content-Type"].partition(";")[0] in content, words
    schema = as_json_schema(next(iter(content.values()))["schema"])
    jsonschema.Draft202012Validator(
        {**schema, "components": components()},
        format_checker=jsonschema.FormatChecker(),
    ).validate(answer.json())


@pytest.fixture
def ids(steward):
    """Make one of everything, and return the ids of all of it."""
    one, two = stage.asset("ONE", "One"), stage.asset("TWO", "Two")
    group = stage.group("ONE")
    given = {"source": "x", "by": steward}
    rows = [
        *(one, two, group, stage.deployed(one), Alias.objects.first()),
        add_identifier(asset_id=one.pk, scheme="coingecko", value="one", **given),
        relate(asset_id=one.pk, kind="wraps", other_id=two.pk, **given),
        add_member(group_id=group.pk, asset_id=one.pk, **given),
        *(_flag(one, 20, steward), _flag(one, 50, steward)),
        *(cast.symbol(), cast.symbol().listing, cast.listing("ETH-USD")),
    ]
    return [str(row.pk) for row in rows]


def _flag(asset, severity, by):
    return raise_flag(
        flag=QualityFlag(asset=asset, kind="depeg", severity=severity, note="x"), by=by
    )


@pytest.mark.parametrize(("method", "path"), operations(), ids=lambda one: one)
def test_an_endpoint_answers_as_the_document_says(method, path, api, second, ids):
    @settings(
        max_examples=20,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(calls(method, path, ids))
    def tried(call):
        address, asked, body, headers = call
        text = "" if body is None else json.dumps(body, default=str)
        with transaction.atomic():
            answer = api.client.generic(
                method.upper(),
                address,
                text,
                content_type="application/json",
                QUERY_STRING="&".join(f"{k}={quote(v, safe='')}" for k, v in asked.items()),
                **headers,
            )
            refute(answer, method, path)
            transaction.set_rollback(True)

    tried()


def test_the_ids_it_tries_are_of_rows_that_are_there(api, ids):
    assert api.get(f"assets/{ids[0]}").status_code == 200
    assert api.get(f"assets/{uuid.uuid4()}").status_code == 404
