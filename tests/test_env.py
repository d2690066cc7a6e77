import os

import pytest

from cqops.env import Environment, load_files


def refusals(capsys, environment):
    with pytest.raises(SystemExit) as ended:
        environment.finish()
    assert ended.value.code == 2
    return capsys.readouterr().err.strip().splitlines()


def test_every_problem_is_told_at_once_with_name_and_expectation(capsys):
    env = Environment(
        {
            "PORT_NUMBER": "eighty",
            "MODE": "MAYBE",
            "DATABASE_URL": "mysql://host/x",
            "IS_ON": "perhaps",
            "KEY": "short",
        }.items()
    )
    env.integer("PORT_NUMBER", default=1, low=1, high=65535)
    env.choice("MODE", ["ON", "OFF"])
    env.url("DATABASE_URL", ["postgres"])
    env.flag("IS_ON")
    env.secret("KEY", min_length=50)
    env.text("MISSING")
    lines = refusals(capsys, env)
    assert len(lines) == 6
    for name, expected in [
        ("PORT_NUMBER", "a whole number from 1 to 65535"),
        ("MODE", "one of ON, OFF"),
        ("DATABASE_URL", "postgres://"),
        ("IS_ON", "true or false"),
        ("KEY", "or KEY_FILE"),
        ("MISSING", "is missing"),
    ]:
        assert any(f"cqops: {name}: " in line and expected in line for line in lines)


def test_a_refusal_never_shows_the_secret_itself(capsys):
    env = Environment({"KEY": "hunter2-hunter2", "DATABASE_URL": "pg://user:hunter2@h/x"}.items())
    env.secret("KEY", min_length=50)
    env.url("DATABASE_URL", ["postgres"])
    assert "hunter2" not in "\n".join(refusals(capsys, env))


@pytest.mark.parametrize(
    "url", ["", "nonsense", "postgres://", "postgres:///x", "postgres://h:99999/x", "postgres://[x"]
)
def test_a_url_without_scheme_host_or_port_in_range_is_refused(capsys, url):
    env = Environment({"DATABASE_URL": url}.items())
    env.url("DATABASE_URL", ["postgres"])
    assert refusals(capsys, env)[0].startswith("cqops: DATABASE_URL: ")


@pytest.mark.parametrize(
    ("url", "is_fine"),
    [
        ("redis://h:1", True),
        ("redis://h:1/", True),
        ("redis://h:1/3", True),
        ("redis://h:1/three", False),
        ("redis://h:1/3/4", False),
    ],
)
def test_what_follows_the_host_of_a_url_is_looked_at_where_it_matters(capsys, url, is_fine):
    env = Environment({"REDIS_URL": url}.items())
    assert env.url("REDIS_URL", ["redis"], path=(r"\d*", "0")) == (
        url if is_fine else "redis://invalid/0"
    )
    if not is_fine:
        assert "such as redis://host:port/0" in refusals(capsys, env)[0]


def test_a_list_of_nothing_is_refused_where_one_is_needed(capsys):
    env = Environment({"NAMES": ", ,", "KEYS": ",", "EMPTY": ""}.items())
    env.names("NAMES")
    env.secrets("KEYS", expected="keys")
    env.names("EMPTY")
    assert env.names("EMPTY", default="a,b") == ["a", "b"]
    assert [line.partition(";")[0] for line in refusals(capsys, env)] == [
        "cqops: NAMES: names nothing",
        "cqops: KEYS: holds none",
        "cqops: EMPTY: is missing",
    ]


@pytest.mark.parametrize(
    "origin", ["desk.example", "ftp://desk.example", "https://desk/x", "https://"]
)
def test_an_origin_is_a_scheme_and_a_host(capsys, origin):
    env = Environment({"ORIGINS": f"https://good.example:8443,{origin}", "NONE": ""}.items())
    env.origins("ORIGINS")
    assert env.origins("NONE") == []
    assert [line.partition(";")[0] for line in refusals(capsys, env)] == [
        f"cqops: ORIGINS: holds {origin!r}"
    ]


def test_a_secret_may_come_from_a_file(tmp_path, capsys):
    file = tmp_path / "secret"
    file.write_text("from the file\n")
    env = Environment({"KEY_FILE": str(file), "OTHER_FILE": str(tmp_path / "none")}.items())
    assert env.secret("KEY") == "from the file"
    env.secret("OTHER")
    assert "cannot be read" in refusals(capsys, env)[0]


def test_good_values_pass_and_nothing_ends():
    env = Environment({"A": "7", "B": "yes", "C": "x, y,", "D": "redis://h:1/0"}.items())
    assert env.integer("A", default=1, low=1, high=9) == 7
    assert env.flag("B") is True
    assert env.names("C") == ["x", "y"]
    assert env.url("D", ["redis"]) == "redis://h:1/0"
    assert env.flag("NOT_SET", default=True) is True
    env.finish()


def test_files_fill_only_what_the_environment_leaves_open(tmp_path, monkeypatch):
    monkeypatch.delenv("ENVIRONMENT", raising=False)
    monkeypatch.delenv("LOCAL_DIR", raising=False)
    monkeypatch.setenv("FROM_OUTSIDE", "outside")
    (tmp_path / ".env").write_text("FROM_OUTSIDE=file\nFROM_FILE=file\n")
    try:
        load_files(tmp_path)
        assert (os.environ["FROM_OUTSIDE"], os.environ["FROM_FILE"]) == ("outside", "file")
    finally:
        os.environ.pop("FROM_FILE", None)


def test_files_are_not_read_when_the_environment_says_what_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("ENVIRONMENT", "LIVE")
    (tmp_path / ".env").write_text("FROM_FILE_TWO=file\n")
    load_files(tmp_path)
    assert "FROM_FILE_TWO" not in os.environ
