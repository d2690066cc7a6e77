"""The file beside the process: bounded, read back whole, and adopted from a process that is gone."""

import pytest

from venues.services.spool import Spool


@pytest.fixture
def opened(tmp_path):
    """Open spools over one folder, each as a process of its own would, and close them after."""
    made = []

    def open_one(most_bytes=1_000):
        made.append(Spool(tmp_path / "spool", most_bytes=most_bytes))
        return made[-1]

    yield open_one
    for one in made:
        one.close()


def given_back(spool):
    found = []
    spool.give_back(found.extend)
    return found


def test_what_was_put_comes_back_in_order_and_once(opened):
    spool = opened()

    assert spool.put([b"one", b"two"]) == 0
    assert spool.put([b"three"]) == 0

    assert given_back(spool) == [b"one", b"two", b"three"]
    assert given_back(spool) == []


def test_what_does_not_fit_is_counted_and_what_came_before_is_kept(opened):
    spool = opened(10)

    assert spool.put([b"12345", b"123", b"1"]) == 1

    assert given_back(spool) == [b"12345", b"123"]


def test_what_is_not_taken_stays_for_the_next_time(opened):
    spool = opened()
    spool.put([b"one"])

    def refuse(_lines):
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        spool.give_back(refuse)

    assert given_back(spool) == [b"one"]


def test_the_file_of_a_process_that_was_killed_is_adopted_and_one_in_use_is_not(opened):
    killed, working = opened(), opened()
    killed.put([b"left behind"])
    working.put([b"mine"])
    killed.close()  # the lock goes with the process

    assert given_back(opened()) == [b"left behind"]
    assert given_back(working) == [b"mine"]


def test_its_file_is_for_nobody_else(opened, tmp_path):
    opened().put([b"one"])

    (file,) = (tmp_path / "spool").iterdir()
    assert file.stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_written_loses_everything_and_says_so(tmp_path):
    file = tmp_path / "no-folder"
    file.write_text("")

    assert Spool(file / "inside", most_bytes=1_000).put([b"one", b"two"]) == 2
