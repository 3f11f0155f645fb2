"""The data folder: private, and its files there whole or not at all."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from farthing.errors import ConfigError
from farthing.paths import SOCKET_PATH_MOST, DataFolder, default_data, sync_folder, write_private


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime folder with a short path, as XDG_RUNTIME_DIR is in practice."""
    with tempfile.TemporaryDirectory(prefix="r", dir="/tmp") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_data_folder_is_where_xdg_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere")
    assert default_data() == Path("/somewhere/farthing")


@pytest.mark.parametrize("unset", [None, ""])
def test_without_xdg_the_data_folder_is_in_the_home(
    unset: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    if unset is None:
        monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    else:
        monkeypatch.setenv("XDG_DATA_HOME", unset)
    assert default_data() == Path("/home/ada/.local/share/farthing")


def test_a_missing_data_folder_is_made_private_with_its_parents(tmp_path: Path) -> None:
    root = tmp_path / "a" / "b" / "data"
    DataFolder(root)
    assert root.is_dir()
    assert mode(root) == 0o700


def test_a_data_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    with pytest.raises(ConfigError, match="choose another with --data") as told:
        DataFolder(in_the_way / "data")
    assert str(in_the_way / "data") in str(told.value)


def test_a_relative_data_folder_is_made_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert DataFolder(Path("here")).root == tmp_path / "here"


def test_a_tilde_is_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert DataFolder(Path("~/data")).root == tmp_path / "data"


def test_everything_is_inside_the_folder_and_nothing_shares_a_name(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "d")
    names = [
        folder.journal,
        folder.records,
        folder.price_books,
        folder.logs,
        folder.log,
        folder.log_key,
        folder.log_salt,
        folder.local_speed,
        folder.address,
        folder.first_key,
        folder.root / "secrets" / "pepper",
    ]
    assert len(set(names)) == len(names)
    assert all(name.is_relative_to(folder.root) for name in names)


def test_the_pepper_is_256_bits_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "d")
    pepper = folder.pepper()
    assert len(pepper) == 32
    assert DataFolder(tmp_path / "d").pepper() == pepper
    assert mode(tmp_path / "d" / "secrets" / "pepper") == 0o600
    assert mode(tmp_path / "d" / "secrets") == 0o700


def test_two_folders_have_two_peppers(tmp_path: Path) -> None:
    assert DataFolder(tmp_path / "a").pepper() != DataFolder(tmp_path / "b").pepper()


def test_a_private_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_private(tmp_path / "folder" / "secret", "x")
    finally:
        os.umask(before)
    assert mode(tmp_path / "folder" / "secret") == 0o600
    assert mode(tmp_path / "folder") == 0o700


def test_a_private_file_replaces_the_one_before_it_and_leaves_nothing_beside_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "secret"
    write_private(path, "a much longer text than the second")
    write_private(path, "short")
    assert path.read_text() == "short"
    assert list(tmp_path.iterdir()) == [path]


def test_a_crash_before_the_new_file_is_safe_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secret"
    write_private(path, "old")

    def crash(_: int) -> None:
        raise OSError("power lost")

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(OSError, match="power lost"):
        write_private(path, "new")
    assert path.read_text() == "old"


def test_a_private_file_is_synced_before_its_name_and_its_name_before_the_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        if not is_folder:
            assert os.fstat(descriptor).st_size == len("text"), "nothing is left in a buffer"
        steps.append("folder" if is_folder else "file")
        fsync(descriptor)

    def renamed(self: Path, target: Path) -> Path:
        steps.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    write_private(tmp_path / "secret", "text")
    assert steps == ["file", "rename", "folder"]


def test_syncing_a_folder_leaves_no_descriptor_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []
    fsync = os.fsync

    def synced(descriptor: int) -> None:
        opened.append(descriptor)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", synced)
    sync_folder(tmp_path)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened[0])


def _folder_with_socket_path_of(length: int, short: Path) -> DataFolder:
    """Make a data folder whose socket "ledger" has a path of so many bytes."""
    rest = length - len(os.fsencode(short)) - len("/") - len("/ledger.sock")
    return DataFolder(short / ("x" * rest))


def test_a_socket_is_in_the_data_folder_while_its_path_is_short_enough(runtime: Path) -> None:
    folder = _folder_with_socket_path_of(SOCKET_PATH_MOST, runtime)
    path = folder.socket("ledger")
    assert path == folder.root / "ledger.sock"
    assert len(os.fsencode(path)) == SOCKET_PATH_MOST


def test_a_socket_with_too_long_a_path_is_in_a_private_folder_elsewhere(runtime: Path) -> None:
    folder = _folder_with_socket_path_of(SOCKET_PATH_MOST + 1, runtime)
    path = folder.socket("ledger")
    assert path.parent.parent == runtime
    assert mode(path.parent) == 0o700
    assert folder.socket("ledger") == path
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fsencode(path))


def test_two_data_folders_with_long_paths_do_not_share_a_socket(runtime: Path) -> None:
    one, other = DataFolder(runtime / ("x" * 120)), DataFolder(runtime / ("y" * 120))
    assert one.socket("ledger") != other.socket("ledger")
    assert one.socket("ledger") != one.socket("follower")


def test_a_socket_s_path_is_measured_in_bytes(runtime: Path) -> None:
    folder = DataFolder(runtime / ("é" * 45))
    assert folder.socket("ledger").parent != folder.root


def test_a_socket_folder_of_somebody_else_is_refused(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = DataFolder(runtime / ("x" * 120))
    owner = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    with pytest.raises(ConfigError, match="choose a shorter --data path"):
        folder.socket("ledger")
