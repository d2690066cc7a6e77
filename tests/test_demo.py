"""The demo desk: what is told about it has to be true."""

import pytest

from cqops import demo
from cqops.platform.access.models import User


@pytest.mark.slow  # passwords are hashed to be slow, seven of them three times
@pytest.mark.django_db
def test_only_a_password_that_opens_is_told(tmp_path, settings):
    settings.LOCAL_DIR = settings.SIMULATOR_DIR = tmp_path
    demo.seed()
    told = {user["username"]: user["password"] for user in demo.show_access()["users"]}
    assert all(User.objects.get(username=name).check_password(told[name]) for name in told)
    tom = User.objects.get(username="tom")
    tom.set_password("a word of his own")
    tom.save()
    told = {user["username"]: user["password"] for user in demo.show_access()["users"]}
    assert told["tom"] == "(was changed)"
    assert told["alma"] == demo.password_of("alma")
