"""The key of fingerprints: made once, kept for the user alone, never half."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from penstock.config.fingerprints import (
    key_for,
    load_baseline,
    own_key,
    write_baseline,
)
from penstock.errors import ConfigError, EnvironmentProblem
from penstock.folders import KEY_BYTES, kept_key
from penstock.leaks.baseline import Baseline, key_id

KEY = bytes(range(KEY_BYTES))


def environ(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment with a home of its own."""
    return {"AIM_HOME": str(folder / "aim"), **more}


def test_a_key_is_made_once(tmp_path: Path) -> None:
    """The first call makes it, the next ones read it; only the user can."""
    key = own_key(environ(tmp_path))
    assert len(key) == KEY_BYTES
    assert own_key(environ(tmp_path)) == key
    path = tmp_path / "aim" / "fingerprint.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["fingerprint.key"]


def test_threads_at_once_get_the_same_key(tmp_path: Path) -> None:
    """Whoever is first wins."""
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(kept_key, [tmp_path / "aim" / "key"] * 32))
    assert len(keys) == 1


def test_processes_at_once_get_the_same_key(tmp_path: Path) -> None:
    """So do several processes."""
    code = "import sys, pathlib; from penstock.folders import kept_key; "
    code += "print(kept_key(pathlib.Path(sys.argv[1])).hex())"
    argv = [sys.executable, "-c", code, str(tmp_path / "aim" / "key")]
    children = [subprocess.Popen(argv, stdout=subprocess.PIPE) for _ in range(4)]
    assert len({child.communicate()[0] for child in children}) == 1


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_key_that_others_can_get_at_is_refused(tmp_path: Path, mode: int) -> None:
    """A key that is open to others is no key any more, and it is said what to do."""
    own_key(environ(tmp_path))
    path = tmp_path / "aim" / "fingerprint.key"
    path.chmod(mode)
    with pytest.raises(EnvironmentProblem, match="open to others") as caught:
        own_key(environ(tmp_path))
    assert caught.value.hint == f"chmod 600 {path}"


@pytest.mark.parametrize("content", [b"", b"short", bytes(KEY_BYTES + 1)])
def test_a_damaged_key_is_refused(tmp_path: Path, content: bytes) -> None:
    """A key that was cut short or is something else is not replaced: baselines need the old one."""
    own_key(environ(tmp_path))
    path = tmp_path / "aim" / "fingerprint.key"
    path.write_bytes(content)
    with pytest.raises(EnvironmentProblem, match="damaged"):
        own_key(environ(tmp_path))
    assert path.read_bytes() == content


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """A key that leads elsewhere is refused."""
    own_key(environ(tmp_path / "other"))
    (tmp_path / "aim").mkdir(mode=0o700)
    target = tmp_path / "other" / "aim" / "fingerprint.key"
    (tmp_path / "aim" / "fingerprint.key").symlink_to(target)
    with pytest.raises(EnvironmentProblem, match="cannot keep a key"):
        own_key(environ(tmp_path))


def test_a_full_disk_leaves_no_half_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that cannot be written is none, nothing is left, and the next call makes one."""

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(EnvironmentProblem, match="No space left"):
            own_key(environ(tmp_path))
    assert list((tmp_path / "aim").iterdir()) == []
    assert len(own_key(environ(tmp_path))) == KEY_BYTES


# -- from elsewhere --------------------------------------------------------------------------
def test_a_key_of_the_environment_goes_before(tmp_path: Path) -> None:
    """A team's key is used, and none is made."""
    assert own_key(environ(tmp_path, AIM_FINGERPRINT_KEY=KEY.hex())) == KEY
    assert not (tmp_path / "aim").exists()


@pytest.mark.parametrize("value", ["no hex", "abcd", KEY.hex() + "00"])
def test_a_variable_that_holds_no_key_is_a_mistake(tmp_path: Path, value: str) -> None:
    """It is refused without being shown."""
    with pytest.raises(ConfigError, match="64 hex digits") as caught:
        own_key(environ(tmp_path, AIM_FINGERPRINT_KEY=value))
    assert value not in str(caught.value)


def test_the_key_of_a_baseline(tmp_path: Path) -> None:
    """The key that travels with a baseline goes before ours; another one than ours is a mistake."""
    ours = environ(tmp_path, AIM_FINGERPRINT_KEY=KEY.hex())
    assert key_for(None, ours) == KEY
    assert key_for(Baseline(key_id=key_id(KEY)), ours) == KEY
    other = KEY[::-1]
    assert key_for(Baseline(key_id=key_id(other), key=other), ours) == other
    with pytest.raises(ConfigError, match="another key") as caught:
        key_for(Baseline(key_id=key_id(other)), ours)
    assert "--share-key" in str(caught.value.hint)


# -- the baseline's file ---------------------------------------------------------------------
def test_no_baseline_is_none(tmp_path: Path) -> None:
    """A file that is not there is no mistake; a folder in its place is one."""
    assert load_baseline(tmp_path / "b.json") is None
    (tmp_path / "b.json").mkdir()
    with pytest.raises(ConfigError, match="cannot read"):
        load_baseline(tmp_path / "b.json")


def test_a_baseline_is_written_in_one_piece(tmp_path: Path) -> None:
    """Where the new one cannot be put in its place, the old one stays and nothing is left."""
    place = tmp_path / "b.json"
    write_baseline(place, b"new")
    assert place.read_bytes() == b"new"
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    with pytest.raises(EnvironmentProblem, match="cannot write"):
        write_baseline(folder, b"new")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.json", "folder"]
