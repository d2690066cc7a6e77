"""The OpenAPI document says what the registry's endpoints take and answer, and they keep to it."""

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from assets.api.urls import urlpatterns

OWN = [
    f"/api/v1/{one.pattern}".replace("<uuid:", "{").replace("<slug:", "{") for one in urlpatterns
]


@pytest.fixture(scope="module")
def document():
    GENERATOR_STATS.reset()
    made = SchemaGenerator().get_schema(request=None, public=True)
    validate_schema(made)
    return made


def operations(document):
    for path, methods in document["paths"].items():
        if path in {one.replace("<str:", "{").replace(">", "}") for one in OWN}:
            for method, said in methods.items():
                yield f"{method.upper()} {path}", said


def test_the_document_is_made_without_a_warning(document):
    assert not GENERATOR_STATS


def test_every_address_of_the_registry_is_in_it(document):
    found = {name.partition(" ")[2] for name, _ in operations(document)}
    assert len(found) == len(urlpatterns)


def test_every_operation_has_a_name_of_its_own_words_and_its_refusals(document):
    names = []
    for what, said in operations(document):
        names.append(said["operationId"])
        assert said["description"], what
        refusals = {code for code in said["responses"] if code >= "400"}
        assert refusals > {"401", "403"}, what
        for code in refusals:
            assert list(said["responses"][code]["content"]) == ["application/problem+json"], what
        if "{" in what:
            assert "404" in refusals, what
        if "requestBody" in said or said.get("parameters"):
            assert refusals & {"400", "404"}, what
    assert len(names) == len(set(names))


def test_every_parameter_that_is_no_bare_id_says_what_it_means(document):
    known = {"kind", "category", "asset", "limit"}
    for what, said in operations(document):
        for one in said.get("parameters", []):
            if one["in"] == "query" and one["name"] not in known:
                assert one.get("description") or "enum" in one["schema"], (what, one["name"])
