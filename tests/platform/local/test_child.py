"""Patience and logs of one child."""

import pytest

from cqops.platform.local import child
from cqops.platform.local.child import BackOff, in_words, last_lines, rotate


def test_patience_grows_and_is_bounded():
    back_off = BackOff()
    assert [back_off.after(0.5) for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]


def test_patience_starts_afresh_once_a_child_has_held():
    back_off = BackOff()
    for _ in range(4):
        back_off.after(0.5)
    assert back_off.after(child.STEADY_AFTER) == 1
    assert back_off.after(0.5) == 2


@pytest.mark.parametrize(("status", "words"), [(-9, "signal 9"), (3, "exit code 3")])
def test_an_exit_is_said_in_words(status, words):
    assert in_words(status) == words


def test_older_logs_are_numbered_and_the_oldest_goes(tmp_path):
    log = tmp_path / "feeds.log"
    for number in range(6):
        log.write_text(f"start {number}")
        rotate(log)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "feeds.log.1": "start 5",
        "feeds.log.2": "start 4",
        "feeds.log.3": "start 3",
    }


def test_a_log_that_is_written_to_is_emptied_in_place(tmp_path):
    log = tmp_path / "feeds.log"
    with log.open("a") as writer:
        writer.write("before\n")
        writer.flush()
        rotate(log, copy=True)
        writer.write("after\n")
    assert log.read_text() == "after\n"
    assert (tmp_path / "feeds.log.1").read_text() == "before\n"


def test_the_end_of_a_log_is_quoted(tmp_path):
    log = tmp_path / "feeds.log"
    log.write_text("".join(f"{number}\n" for number in range(100)))
    assert last_lines(log, 2) == "    98\n    99"
    assert last_lines(tmp_path / "none.log") == "(no log)"
