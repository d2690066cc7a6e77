"""What the commands say when something is missing, and what they leave alone."""

import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest

from cqops.platform.local import __main__ as entry
from cqops.platform.local import browser, wheels
from cqops.platform.local.commands import bench, clean, seed
from cqops.platform.local.commands import test as testing
from cqops.platform.local.lock import Lock
from cqops.platform.local.own_servers import workshop
from cqops.platform.local.places import CHECKOUT, Places
from cqops.platform.local.refusal import Refusal
from cqops.platform.local.servers import without_password


def places(folder) -> Places:
    return Places(checkout=folder, local=folder / ".local")


def a_program(path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_an_unknown_command_is_answered_with_the_known_ones(capsys):
    assert entry.main(["dance"]) == 2
    assert "run, test, seed, bench, browser, clean" in capsys.readouterr().err


def test_a_refusal_is_a_sentence_and_an_exit_code(monkeypatch, capsys):
    monkeypatch.setenv("PORT", "eighty")
    monkeypatch.setenv("LOCAL_DIR", "/nonexistent")
    monkeypatch.setattr(Places, "create", lambda self: None)
    assert entry.main(["run"]) == 1
    assert capsys.readouterr().err == (
        "\nPORT is 'eighty'; a number from 1 to 65535 is expected.\n"
    )


def test_the_named_browser_wins_over_the_one_on_path(tmp_path):
    named = a_program(tmp_path / "mine")
    a_program(tmp_path / "bin" / "chromium")
    assert browser.find({"CHROMIUM": named, "PATH": str(tmp_path / "bin")}) == named


def test_a_named_browser_that_does_not_exist_is_not_replaced_silently(tmp_path):
    a_program(tmp_path / "bin" / "chromium")
    assert browser.find({"CHROMIUM": "/no/such", "PATH": str(tmp_path / "bin")}) is None


def test_playwrights_own_browser_is_the_last_resort(tmp_path):
    own = a_program(tmp_path / "cache" / "chromium-1200" / "chrome-linux" / "chrome")
    found = browser.find({"PATH": "", "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / "cache")})
    assert found == own


def test_without_a_browser_the_whole_suite_refuses_with_the_ways_out(monkeypatch, tmp_path):
    monkeypatch.setattr(browser, "PLAYWRIGHT_CACHES", ())
    with pytest.raises(Refusal, match=r"make browser.*CHROMIUM=.*SKIP_BROWSER=1"):
        testing.main(places(tmp_path), {"PATH": ""}, [])


def test_without_benchmarks_a_sentence_says_so(tmp_path, capsys):
    assert bench.main(places(tmp_path), {}, []) == 0
    assert "There are no benchmarks yet" in capsys.readouterr().out


def test_an_unknown_benchmark_is_answered_with_the_known_ones(tmp_path):
    (tmp_path / "benchmarks").mkdir()
    for name in ("books.py", "_feeds.py"):
        (tmp_path / "benchmarks" / name).touch()
    with pytest.raises(Refusal, match=r"no benchmark 'orders'. Known: books\."):
        bench.main(places(tmp_path), {"ONLY": "orders"}, [])


def test_clean_removes_its_own_folders_and_nothing_else(tmp_path, capsys):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in (".local/logs", ".venv/bin", "static"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / ".env").touch()
    assert clean.main(places(tmp_path), {}, [], tmp_path / "base") == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [".env", "elsewhere", "static"]
    assert clean.main(places(tmp_path), {}, [], tmp_path / "base") == 0
    assert "There was nothing to remove." in capsys.readouterr().out


def test_clean_follows_no_link_out_of_the_checkout(tmp_path):
    target = tmp_path / "precious"
    target.mkdir()
    (target / "kept").touch()
    (tmp_path / ".local").symlink_to(target)
    clean.main(places(tmp_path), {}, [], tmp_path / "base")
    assert (target / "kept").exists()
    assert not (tmp_path / ".local").exists()


def test_clean_waits_for_a_desk_that_keeps_its_files_elsewhere(monkeypatch, tmp_path):
    (tmp_path / ".venv").mkdir()
    words = ["python", "-m", "cqops.platform.local", "run"]
    running = SimpleNamespace(pid=4711, info={"cmdline": words, "cwd": str(tmp_path)})
    monkeypatch.setattr(psutil, "process_iter", lambda attrs: [running])
    with pytest.raises(Refusal, match=r"`cqops.platform.local run` still runs \(process 4711\)"):
        clean.main(places(tmp_path), {}, [], tmp_path / "base")
    assert (tmp_path / ".venv").exists()


def test_seed_addresses_the_running_desk_whatever_an_env_file_says(monkeypatch, tmp_path):
    """An .env in the checkout is compose's, and may name another database."""
    desk = places(tmp_path)
    desk.create()
    (tmp_path / ".env").write_text("ENVIRONMENT=LIVE\nDATABASE_URL=postgres://real\n")
    desk.environment_file.write_text("ENVIRONMENT=SIMULATED\nDATABASE_URL=postgres://demo?a=b\n")
    seen = {}

    def run(words, *, cwd, env, check):
        seen.update(env)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(seed.subprocess, "run", run)
    with Lock(desk.lock_file) as lock:
        assert lock.acquire()
        assert seed.main(desk, {"PATH": "/bin", "DATABASE_URL": "postgres://mine"}, []) == 0
    assert seen["ENVIRONMENT"] == "SIMULATED"
    assert seen["DATABASE_URL"] == "postgres://demo?a=b"
    assert seen["PATH"] == "/bin"


@pytest.mark.parametrize("module", ["bootstrap", "__main__", "commands.clean"])
def test_what_a_bare_python_runs_needs_nothing_installed(module):
    line = f"import cqops.platform.local.{module}"
    subprocess.run([sys.executable, "-S", "-c", line], cwd=CHECKOUT, env={}, check=True)


@pytest.mark.parametrize(
    ("find", "words"),
    [
        (wheels.postgres_programs, "No embedded PostgreSQL is installed"),
        (wheels.redis_program, "No embedded Redis is installed"),
    ],
)
def test_a_missing_wheel_offers_a_url_or_compose(monkeypatch, find, words):
    monkeypatch.setattr(wheels.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Refusal, match=rf"{words} .*_URL=.*docker-compose\.yml"):
        find()


def test_a_url_is_shown_without_its_password():
    shown = without_password("postgres://tess:hush@db.example:5432/desk")
    assert shown == "postgres://db.example:5432/desk"


@pytest.mark.slow
def test_servers_for_tests_are_never_the_users(tmp_path):
    users = {"DATABASE_URL": "postgres://tess@db/desk", "REDIS_URL": "redis://r", "PATH": "/bin"}
    with workshop(places(tmp_path), users, name="test") as shop:
        assert shop.environment["DATABASE_URL"].startswith("postgres://cqops:")
        assert "127.0.0.1" in shop.environment["REDIS_URL"]
        assert shop.environment["LOCAL_DIR"] == str(tmp_path / ".local" / "test")
        assert shop.run([sys.executable, "-c", "raise SystemExit(3)"]) == 3
        with workshop(places(tmp_path), users, name="test") as other:
            assert other.places.local.name == "test-2"
            assert other.environment["DATABASE_URL"] != shop.environment["DATABASE_URL"]
    clean.main(places(tmp_path), {}, [])
