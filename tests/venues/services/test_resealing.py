"""The installation's key is exchanged while the desk runs, and the old one may go afterwards."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command

from cqops.platform.audit.models import Entry
from tests import cast
from venues.credentials import CannotOpen, Sealed, unseal
from venues.models import Credential

pytestmark = pytest.mark.django_db
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def opened(row):
    return unseal(Sealed(bytes(row.wrapped_key), bytes(row.sealed_secret)))


def told():
    out = StringIO()
    call_command("reseal", stdout=out)
    return out.getvalue()


@pytest.fixture
def sealed_before(settings):
    settings.CREDENTIAL_KEYS = [OLD]
    for name in ("Main", "Second"):
        cast.account(name)
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    return list(Credential.objects.order_by("created_at"))


def test_the_old_key_may_go_once_everything_is_wrapped_under_the_new_one(settings, sealed_before):
    secrets = [opened(row) for row in sealed_before]

    assert "2 wrapped under the newest key" in told()

    settings.CREDENTIAL_KEYS = [NEW]
    after = list(Credential.objects.order_by("created_at"))
    assert [opened(row) for row in after] == secrets
    assert [bytes(row.sealed_secret) for row in after] == [
        bytes(row.sealed_secret) for row in sealed_before
    ]
    assert Entry.objects.get(action="credentials.resealed").after["wrapped"] == 2
    with pytest.raises(CannotOpen):
        opened(sealed_before[0])


def test_one_that_cannot_be_opened_is_named_and_holds_up_no_other(settings, sealed_before):
    lost = sealed_before[0]
    Credential.objects.filter(pk=lost.pk).update(wrapped_key=b"sealed by a key nobody has")
    out = StringIO()

    with pytest.raises(SystemExit):
        call_command("reseal", stdout=out)

    assert str(lost.pk) in out.getvalue()
    settings.CREDENTIAL_KEYS = [NEW]
    assert opened(Credential.objects.get(pk=sealed_before[1].pk))
