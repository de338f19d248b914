"""Children get the least environment, and executables are found where they may be."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from penstock.process.environment import (
    DEFAULT_PATH,
    child_environment,
    find_executable,
    own_bin_directories,
)

OURS = {
    "PATH": "/usr/bin:/bin", "HOME": "/h", "LANG": "C", "LC_ALL": "C", "XDG_CACHE_HOME": "/c",
    "https_proxy": "p", "HTTPS_PROXY": "p", "SSL_CERT_FILE": "f",
    "GIT_DIR": "/r/.git", "VIRTUAL_ENV": "/v", "PYTHONPATH": "/p", "PYTHONHOME": "/p",
    "PENSTOCK_ATTEMPT": "outer", "OPENAI_API_KEY": "k", "AWS_REGION": "r", "AWS_PROFILE": "q",
}  # fmt: skip
ALLOWED = {
    "PATH", "HOME", "LANG", "LC_ALL", "XDG_CACHE_HOME", "https_proxy", "HTTPS_PROXY",
    "SSL_CERT_FILE",
}  # fmt: skip


def test_only_allowed_names_are_taken_over() -> None:
    """Keys, git's variables and Python's do not reach a child unasked."""
    env = child_environment(source=OURS)
    assert env == {name: OURS[name] for name in ALLOWED}


def test_names_may_be_kept_but_never_those_that_misdirect() -> None:
    """`keep` takes over names and patterns, yet nothing that steers the child elsewhere."""
    keep = ("AWS_*", "OPENAI_API_KEY", "GIT_DIR", "PYTHON*", "VIRTUAL_ENV", "*", "GONE")
    env = child_environment(source=OURS, keep=keep)
    assert set(env) == ALLOWED | {"AWS_REGION", "AWS_PROFILE", "OPENAI_API_KEY"}


def test_extra_is_put_on_top_as_it_is() -> None:
    """What the caller names itself wins, git's variables included."""
    extra = {"HOME": "/other", "GIT_DIR": "/mine", "PATH": "/usr/bin"}
    env = child_environment(source=OURS, extra=extra)
    assert {name: env[name] for name in extra} == extra


def test_our_own_environment_is_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a source it is this process's environment."""
    monkeypatch.setenv("TZ", "Europe/Vienna")
    monkeypatch.setenv("SOME_SECRET", "x")
    env = child_environment()
    assert env["TZ"] == "Europe/Vienna"
    assert "SOME_SECRET" not in env


def test_folders_are_put_first_and_left_off(tmp_path: Path) -> None:
    """PATH starts with the wanted folders and lacks the unwanted, by any of their names."""
    (tmp_path / "venv").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "venv")
    path = f"{tmp_path}/venv:/bin:{tmp_path}/link:/opt"
    env = child_environment(
        source={"PATH": path},
        path_first=[Path("/first"), Path("/opt")],
        path_without=[tmp_path / "link"],
    )
    assert env["PATH"] == "/first:/opt:/bin"


def test_the_working_directory_is_never_on_the_path() -> None:
    """Empty and relative entries, which mean the child's folder, are dropped."""
    assert child_environment(source={"PATH": ":/bin:.:bin::/opt:"})["PATH"] == "/bin:/opt"


def test_there_is_always_a_path() -> None:
    """Without PATH the usual folders are used."""
    assert child_environment(source={})["PATH"] == DEFAULT_PATH


def test_executables_are_found_on_the_given_path(tmp_path: Path) -> None:
    """Only executable files on the PATH of the environment, or named by a path, are found."""
    for name, mode in (("tool", 0o755), ("text", 0o644)):
        (tmp_path / name).touch(mode)
    (tmp_path / "folder").mkdir()
    env = {"PATH": str(tmp_path)}
    found = [find_executable(name, env) for name in ("tool", "text", "folder", "sh")]
    assert found == [tmp_path / "tool", None, None, None]
    assert find_executable(str(tmp_path / "tool"), {}) == tmp_path / "tool"
    assert find_executable("sh", {}) is not None


def test_our_own_executables_are_those_of_the_virtual_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a virtual environment its folder is named, outside of one the system's is not."""
    monkeypatch.setattr(sys, "prefix", "/venv")
    monkeypatch.setattr(sys, "executable", "/venv/bin/python")
    assert own_bin_directories() == (Path("/venv/bin"),)
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    assert own_bin_directories() == ()
