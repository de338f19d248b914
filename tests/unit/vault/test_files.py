"""Files that only we may read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.errors import SecretsError
from penstock.vault import files
from penstock.vault.files import own_folder, read_private, write_private, writing
from tests.support.vaults import private


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder of ours."""
    return private(tmp_path / "home")


def names(folder: Path) -> list[str]:
    """Return what lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_is_read(home: Path) -> None:
    """A file holds what was written last, and only its owner may read it."""
    path = home / "f"
    assert write_private(path, b"one")
    assert write_private(path, b"two")
    assert read_private(path) == b"two"
    assert path.stat().st_mode & 0o777 == 0o600


def test_no_file_is_none(home: Path) -> None:
    """A file that is not there is no error."""
    assert read_private(home / "f") is None


def test_a_wide_umask_opens_nothing(home: Path) -> None:
    """The mode does not hang on the umask."""
    before = os.umask(0)
    try:
        write_private(home / "f", b"x")
        own_folder(home / "deep")
    finally:
        os.umask(before)
    assert (home / "f").stat().st_mode & 0o777 == 0o600
    assert (home / "deep").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601, 0o777])
def test_a_file_open_to_others_is_refused(home: Path, mode: int) -> None:
    """Any right of group or others counts, and the hint mends it."""
    write_private(home / "f", b"x")
    (home / "f").chmod(mode)
    with pytest.raises(SecretsError, match=f"mode {mode:04o}") as caught:
        read_private(home / "f")
    assert f"chmod 600 {home / 'f'}" in (caught.value.hint or "")


def test_a_link_is_not_followed(home: Path) -> None:
    """A link in place of the file leads nowhere, whoever put it there."""
    write_private(home / "other", b"x")
    (home / "f").symlink_to(home / "other")
    with pytest.raises(SecretsError, match="cannot read"):
        read_private(home / "f")


def test_a_link_is_replaced_and_its_target_stays(home: Path) -> None:
    """Writing puts a file in place of a link."""
    (home / "other").write_bytes(b"kept")
    (home / "f").symlink_to(home / "other")
    write_private(home / "f", b"ours")
    assert (home / "other").read_bytes() == b"kept"
    assert read_private(home / "f") == b"ours"


@pytest.mark.parametrize("kind", ["fifo", "folder"])
def test_what_is_no_plain_file_is_refused_at_once(home: Path, kind: str) -> None:
    """A pipe that nobody writes to is not waited for, a folder is not read."""
    path = home / "f"
    if kind == "fifo":
        os.mkfifo(path, 0o600)
    else:
        private(path)
    with pytest.raises(SecretsError, match="no plain file"):
        read_private(path)


def test_a_foreign_file_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of another user is none of ours, whatever its mode."""
    write_private(home / "f", b"x")
    if os.geteuid() == 0:
        os.chown(home / "f", 12345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(SecretsError, match="belongs to user"):
        read_private(home / "f")


def test_exclusively_leaves_what_is_there(home: Path) -> None:
    """Of two makers one wins, and no draft stays."""
    assert write_private(home / "f", b"first", exclusively=True)
    assert not write_private(home / "f", b"second", exclusively=True)
    assert read_private(home / "f") == b"first"
    assert names(home) == ["f"]


def test_a_failed_write_leaves_the_old_content(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk fails in the middle, the file is as it was and nothing else is there."""
    write_private(home / "f", b"old")

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(SecretsError, match=r"cannot write .*f: No space left"):
        write_private(home / "f", b"new")
    assert (read_private(home / "f"), names(home)) == (b"old", ["f"])


def test_a_writer_removes_the_drafts_of_a_crash(home: Path) -> None:
    """What a killed writer left behind goes with the next one."""
    (home / ".vault.age.draft-17-aa").write_bytes(b"half")
    with writing(home):
        assert names(home) == [".vault.lock"]


def test_a_second_writer_gives_up_in_the_end(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that never ends keeps others waiting for so long and no longer."""
    monkeypatch.setattr(files, "PATIENCE_S", 0.05)
    with (
        writing(home),
        pytest.raises(SecretsError, match="another process is changing"),
        writing(home),
    ):
        pass


def test_a_folder_open_to_others_is_refused(home: Path) -> None:
    """The folder of the vault is nobody else's."""
    home.chmod(0o755)
    with pytest.raises(SecretsError, match=r"mode 0755") as caught, writing(home):
        pass
    assert caught.value.hint == f"chmod 700 {home}"


def test_a_folder_that_cannot_be_made(home: Path) -> None:
    """A file in the way is said as it is."""
    (home / "f").write_bytes(b"")
    with pytest.raises(SecretsError, match="cannot make the folder"):
        own_folder(home / "f" / "deep")
