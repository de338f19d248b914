"""The folder of what belongs to the user and to no repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.errors import EnvironmentProblem
from penstock.folders import aim_home, private_folder, why_not_private, why_others_write


@pytest.mark.parametrize(
    ("environ", "place"),
    [
        ({"HOME": "/home/u"}, "/home/u/.aim"),
        ({"HOME": "/home/u", "AIM_HOME": ""}, "/home/u/.aim"),
        ({"HOME": "/home/u", "AIM_HOME": "~/x"}, "/home/u/x"),
        ({"HOME": "/home/u", "AIM_HOME": "/srv/aim"}, "/srv/aim"),
        ({"USERPROFILE": "/users/u"}, "/users/u/.aim"),
    ],
)
def test_where_it_is(environ: dict[str, str], place: str) -> None:
    """AIM_HOME, else `.aim` in the home."""
    assert aim_home(environ) == Path(place)


def test_a_relative_one_counts_from_where_we_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made whole at once, so that changing the folder later moves nothing."""
    monkeypatch.chdir(tmp_path)
    assert aim_home({"AIM_HOME": "mine"}) == tmp_path / "mine"


def test_without_a_home() -> None:
    """The error says what to set."""
    with pytest.raises(EnvironmentProblem, match="no home folder"):
        aim_home({"AIM_HOME": "~no-such-user-here"})


def test_it_is_made_for_us_alone(tmp_path: Path) -> None:
    """With mode 0700, whatever the umask."""
    folder = private_folder(tmp_path / "a" / "b")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert private_folder(folder) == folder


def test_one_that_is_open_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So is one of somebody else; both say what to do."""
    tmp_path.chmod(0o750)
    with pytest.raises(EnvironmentProblem, match="mode 0750") as caught:
        private_folder(tmp_path)
    assert caught.value.hint == f"chmod 700 {tmp_path}"
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    with pytest.raises(EnvironmentProblem, match=r"not to us \(4321\)") as caught:
        private_folder(tmp_path)
    assert "AIM_HOME" in (caught.value.hint or "")


def test_who_else_may_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may, others may not; looking is free."""
    tmp_path.chmod(0o755)
    assert why_others_write(tmp_path.stat()) is None
    tmp_path.chmod(0o775)
    assert "can be written by others" in (why_others_write(tmp_path.stat()) or "")
    assert why_others_write(Path("/").stat()) is None
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    os.chown(tmp_path, 1234, -1) if os.getuid() == 0 else None
    assert "not to us (4321)" in (why_others_write(tmp_path.stat()) or "")


def test_where_modes_say_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows nothing can be told from them."""
    found = tmp_path.stat()
    monkeypatch.setattr(os, "name", "nt")
    assert (why_not_private(found), why_others_write(found)) == (None, None)
