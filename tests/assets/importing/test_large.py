"""A list as large as the world's, with some hundred lines that are wrong."""

import hashlib

import pytest

from assets.models import Asset, Deployment, Identifier, ImportRow, Outcome
from assets.services.importing.asking import NotYet, request_apply
from tests.assets import stage
from tests.assets.importing.brought import applied, brought, table, undone

LINES, BAD = 50_000, 300
CHAINS = ("ethereum", "base")
WRONG = (
    (lambda row: row.replace(",18,", ",eighteen,"), "and not 'eighteen'"),
    (lambda row: row.replace(",0x", ",0y"), "is no EVM address"),
    (lambda row: row.replace(",ethereum,", ",etherium,"), "No chain here is called 'etherium'."),
)


def rows():
    """Write two lines for each asset, one a chain."""
    for number in range(LINES):
        one = number // 2
        address = hashlib.sha256(b"%d" % number).hexdigest()[:40]
        yield f"T{one},Token {one},token,token-{one},{CHAINS[number % 2]},0x{address},18,"


def made():
    known = Deployment.objects.known().count(), Identifier.objects.known().count()
    return (Asset.objects.filter(retired_at=None).count(), *known)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.django_db
def test_fifty_thousand_lines_with_three_hundred_bad_ones_are_mended_applied_twice_and_undone(
    steward, second
):
    for slug in CHAINS:
        stage.chain(slug)
    good = list(rows())
    bad_ones = {at: WRONG[at // 100 % 3] for at in range(0, 100 * BAD, 100)}
    spoilt = [bad_ones[at][0](row) if at in bad_ones else row for at, row in enumerate(good)]

    batch = brought(table(*spoilt), steward)

    told = ImportRow.objects.filter(batch=batch, outcome=Outcome.ERROR).order_by("number")
    assert [one.line for one in told] == [at + 2 for at in bad_ones]
    assert all(bad_ones[one.line - 2][1] in one.words for one in told)
    with pytest.raises(NotYet, match="300 lines have errors"):
        request_apply(batch_id=batch.pk, reason="try", by=steward)
    assert made() == (0, 0, 0)

    mended = applied(brought(table(*good), steward), steward, second)
    assert mended.state == "applied", mended.words
    assert made() == (LINES // 2, LINES, LINES // 2)

    again = brought(table(*good), steward)
    assert again.counts == {"lines": LINES, "ignored": LINES}
    assert applied(again, steward).state == "applied"
    assert made() == (LINES // 2, LINES, LINES // 2)

    assert undone(mended, steward, second).state == "undone"
    assert made() == (0, 0, 0)
