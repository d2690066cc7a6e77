"""What a person sees and what happens to the processes, on the fake project."""

import json
import os
import signal
import socket
import stat
import time

import psutil
import pytest

from cqops.platform.installation.models import Installation
from cqops.platform.local.ports import LOOPBACK
from cqops.platform.local.supervisor import SAME_MOMENT
from tests.platform.local.conftest import alive, wait_for

# each starts a supervisor with children: about a second alone, several on a busy machine
pytestmark = pytest.mark.slow


def test_the_start_ends_with_the_address_the_sign_ins_and_a_token(fake_desk):
    fake_desk.ready()
    text = fake_desk.text()
    assert f"\nReady: http://localhost:{fake_desk.port}\n" in text
    assert "trader" in text
    assert "tess" in text
    assert "open sesame" in text
    address = f"http://localhost:{fake_desk.port}/api/v1/positions"
    assert f'curl -H "Authorization: Bearer cq-token" {address}' in text
    assert "of memory" in text
    assert "for its data" in text
    for stage in ("environment", "database", "redis", "migrations", "demo data", "processes"):
        assert f"  {stage}" in text


def test_no_sign_in_is_kept_in_a_log(fake_desk):
    fake_desk.ready()
    logs = "".join(path.read_text() for path in (fake_desk.local / "logs").iterdir())
    assert "Ready:" in logs
    assert "open sesame" not in logs
    assert "cq-token" not in logs


def test_term_stops_every_child_and_is_no_failure(fake_desk):
    process = fake_desk.ready()
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) == 2
    assert fake_desk.stop(signal.SIGTERM) == 0
    assert not any(alive(child.pid) for child in children)
    assert fake_desk.text().endswith("Stopped.\n")


def test_interrupt_stops_every_child_and_is_no_failure(fake_desk):
    fake_desk.ready()
    pids = fake_desk.pids()
    assert fake_desk.stop(signal.SIGINT) == 0
    assert not any(alive(pid) for pid in pids.values())


def test_children_are_out_of_reach_of_the_terminal(fake_desk):
    process = fake_desk.ready()
    sessions = {os.getsid(pid) for pid in fake_desk.pids().values()}
    assert len(sessions) == 2
    assert os.getsid(process.pid) not in sessions


def test_a_second_interrupt_does_not_wait_for_a_stubborn_child(fake_desk):
    (fake_desk.folder / "stubborn").touch()
    fake_desk.ready()
    worker = fake_desk.pids()["worker"]
    fake_desk.process.send_signal(signal.SIGINT)
    fake_desk.until("Stopping")
    time.sleep(SAME_MOMENT)
    assert fake_desk.stop(signal.SIGINT) == 0
    assert "worker does not stop, killing it" in fake_desk.text()
    assert not alive(worker)


def test_two_signals_in_one_moment_are_one_wish(fake_desk):
    fake_desk.ready()
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT):
        fake_desk.process.send_signal(number)
    assert fake_desk.stop(signal.SIGTERM) == 0
    assert "killing it" not in fake_desk.text()


def test_a_child_that_dies_comes_back_and_is_shown(fake_desk):
    fake_desk.ready()
    worker = fake_desk.pids()["worker"]
    os.kill(worker, signal.SIGKILL)
    fake_desk.until("worker died (signal 9), restarting in 1 s")
    fake_desk.until("worker started again")
    assert fake_desk.pids()["worker"] != worker


def test_a_second_start_says_where_the_first_runs_and_how_to_stop_it(fake_desk):
    process = fake_desk.ready()
    second = fake_desk.second()
    assert second.returncode == 1
    assert second.stdout == ""
    assert second.stderr.strip() == (
        f"The desk already runs at http://localhost:{fake_desk.port} (process {process.pid},"
        f" .local). Stop it with Ctrl-C in its terminal, or with: kill {process.pid}"
    )


def test_a_port_in_use_is_one_sentence_that_offers_another(fake_desk):
    with socket.socket() as taken:
        taken.bind((LOOPBACK, fake_desk.port))
        taken.listen()
        outcome = fake_desk.second()
    assert outcome.returncode == 1
    assert f"Port {fake_desk.port} is in use by " in outcome.stderr
    assert f"make run PORT={fake_desk.port + 1}" in outcome.stderr
    assert "Traceback" not in outcome.stdout + outcome.stderr


@pytest.mark.parametrize("port", ["eighty", "0", "70000", "-1"])
def test_a_port_that_is_none_is_refused(fake_desk, port):
    outcome = fake_desk.second(PORT=port)
    assert outcome.returncode == 1
    assert outcome.stderr.strip() == f"PORT is '{port}'; a number from 1 to 65535 is expected."


def test_what_a_killed_supervisor_left_is_ended_by_the_next(fake_desk):
    process = fake_desk.ready()
    left = fake_desk.pids()
    process.kill()
    process.wait()
    assert all(alive(pid) for pid in left.values())
    fake_desk.output.unlink()
    fake_desk.ready()
    assert not any(alive(pid) for pid in left.values())
    assert f"ended worker (process {left['worker']}) of an earlier start" in fake_desk.text()
    assert not set(left.values()) & set(fake_desk.pids().values())


def test_a_process_that_only_has_the_number_of_an_old_child_is_left_alone(fake_desk):
    fake_desk.local.mkdir()
    bystander = {
        "name": "worker",
        "pid": os.getpid(),
        "started": 1.0,
        "program": psutil.Process().exe(),
        "stop_signal": int(signal.SIGTERM),
    }
    (fake_desk.local / "processes.json").write_text(json.dumps([bystander]))
    fake_desk.ready()
    assert "of an earlier start" not in fake_desk.text()


def test_a_failing_migration_is_shown_and_nothing_stays(fake_desk):
    (fake_desk.folder / "broken").touch()
    outcome = fake_desk.second()
    assert outcome.returncode == 1
    assert (
        "migrations failed (exit code 1); the end of .local/logs/migrations.log" in outcome.stderr
    )
    assert "no such column: colour" in outcome.stderr
    assert "Traceback" not in outcome.stdout + outcome.stderr
    assert not (fake_desk.local / "processes.json").exists()


def test_a_part_that_never_turns_green_is_named(fake_desk):
    (fake_desk.folder / "red").touch()
    outcome = fake_desk.second(READY_SECONDS="1")
    assert outcome.returncode == 1
    assert "Not ready after 1 s: worker: has not been heard of." in outcome.stderr


def test_children_get_the_contract_and_by_hand_it_is_in_a_private_file(fake_desk):
    fake_desk.ready()
    seen = fake_desk.folder / "environment"
    wait_for(seen.exists, "the worker")
    environment = json.loads(seen.read_text())
    written = fake_desk.local / "env"
    lines = dict(line.split("=", 1) for line in written.read_text().splitlines())
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert lines.items() <= environment.items()
    assert lines["ENVIRONMENT"] == "SIMULATED"
    assert lines["LOCAL"] == "true"
    assert lines["LOCAL_DIR"] == str(fake_desk.local)
    assert lines["SIMULATOR_URL"] == f"http://127.0.0.1:{lines['SIMULATOR_PORT']}"


def test_secrets_are_made_up_once_and_a_port_is_remembered(fake_desk):
    fake_desk.ready()
    first = (fake_desk.local / "env").read_text()
    fake_desk.stop()
    fake_desk.ready()
    assert (fake_desk.local / "env").read_text() == first


def test_a_database_that_does_not_answer_is_a_sentence_without_its_password(fake_desk):
    outcome = fake_desk.second(DATABASE_URL="postgres://tess:hush@127.0.0.1:1/desk")
    assert outcome.returncode == 1
    assert "DATABASE_URL (postgres://127.0.0.1:1/desk) does not let us in" in outcome.stderr
    assert "hush" not in outcome.stdout + outcome.stderr


@pytest.mark.django_db(transaction=True)
def test_a_database_of_another_kind_is_one_sentence_and_left_as_it_was(fake_desk, settings):
    database = settings.DATABASES["default"]
    where = f"{database['HOST']}:{database['PORT']}/{database['NAME']}"
    Installation.objects.update(environment="LIVE")
    try:
        outcome = fake_desk.second(
            DATABASE_URL=f"postgres://{database['USER']}:{database['PASSWORD']}@{where}"
        )
    finally:
        Installation.objects.update(environment="SIMULATED")
    assert outcome.returncode == 1
    assert outcome.stderr.strip() == (
        f"DATABASE_URL (postgres://{where}) was set up as LIVE; make run is SIMULATED and leaves it"
        " alone. Name an empty database, or one that make run set up."
    )
    assert not (fake_desk.local / "logs" / "migrations.log").exists()


def test_a_redis_that_does_not_answer_is_a_sentence(fake_desk):
    outcome = fake_desk.second(REDIS_URL="redis://:hush@127.0.0.1:1/0")
    assert outcome.returncode == 1
    assert "REDIS_URL (redis://127.0.0.1:1/0) does not answer" in outcome.stderr
    assert "hush" not in outcome.stdout + outcome.stderr


def test_a_secret_may_come_from_a_file_and_a_file_that_is_missing_is_named(fake_desk, tmp_path):
    secret = tmp_path / "key"
    secret.write_text("k" * 60 + "\n")
    fake_desk.ready(SECRET_KEY_FILE=str(secret))
    assert f"SECRET_KEY={'k' * 60}\n" in (fake_desk.local / "env").read_text()
    fake_desk.stop()
    outcome = fake_desk.second(DATABASE_URL="", DATABASE_URL_FILE="/no/such/file")
    assert outcome.returncode == 1
    assert "DATABASE_URL_FILE names /no/such/file, which cannot be read" in outcome.stderr
