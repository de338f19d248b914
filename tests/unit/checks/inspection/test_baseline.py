"""The baseline of known findings."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.checks.inspection import baseline as module
from penstock.checks.inspection.baseline import Baseline, apply, load_baseline, write_baseline
from penstock.errors import ConfigError, EnvironmentProblem
from penstock.model.finding import Finding
from penstock.model.fingerprint import fingerprints
from penstock.model.inspection import ENGINE, NO_CHECKER, PLUGIN_FAILED
from tests.support.findings import finding, findings, lines_by_path

REUSED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
TWO = tuple(finding(code="F401", line=n) for n in (1, 2))
LINES = lines_by_path("import os", "import sys")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the baseline goes."""
    return tmp_path / "baseline.json"


@REUSED
@given(st.lists(findings(("a.py", "b/\xe4.py", "odd\udcff"))))
def test_a_baseline_that_was_written_knows_all_of_it(tmp_path: Path, told: list[Finding]) -> None:
    """Read back, everything is known, nothing stays and nothing is gone."""
    file = tmp_path / "baseline.json"
    assert write_baseline(file, told) == len(told)
    assert apply(told, load_baseline(file)) == ((), tuple(told), ())


@REUSED
@given(st.lists(findings()), st.lists(findings()))
def test_what_is_known_what_stays_and_what_is_gone_add_up(
    tmp_path: Path, before: list[Finding], after: list[Finding]
) -> None:
    """Every finding is known or stays; every entry is matched or gone."""
    file = tmp_path / "baseline.json"
    write_baseline(file, before)
    known_before = load_baseline(file)
    kept, known, gone = apply(after, known_before)
    assert Counter(kept) + Counter(known) == Counter(after)
    assert len(known) + len(gone) == len(known_before.findings)


@REUSED
@given(st.lists(findings()), st.randoms())
def test_the_order_of_findings_makes_no_difference_to_the_file(
    tmp_path: Path, told: list[Finding], chance: Random
) -> None:
    """The same findings make the same bytes."""
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    write_baseline(one, told)
    chance.shuffle(told)
    write_baseline(other, told)
    assert one.read_bytes() == other.read_bytes()


def test_moved_findings_stay_known_and_leave_the_file_as_it_is(place: Path) -> None:
    """No line numbers in it: lines inserted above change nothing."""
    write_baseline(place, fingerprints(TWO, LINES))
    first = place.read_bytes()
    moved = fingerprints(
        [finding(code="F401", line=n) for n in (3, 5)],
        lines_by_path("# a", "", "import os", "# b", "import sys"),
    )
    assert apply(moved, load_baseline(place)) == ((), moved, ())
    write_baseline(place, moved)
    assert place.read_bytes() == first


def test_a_line_is_written_for_each_finding(place: Path) -> None:
    """Git then merges baselines finding by finding."""
    write_baseline(place, fingerprints(TWO, LINES))
    text = place.read_text()
    assert sum('"fingerprint"' in line for line in text.splitlines()) == 2
    assert json.loads(text)["version"] == 1


def test_a_new_finding_stays_and_a_mended_one_is_gone(place: Path) -> None:
    """What came after the baseline fails as always."""
    first, second = fingerprints(TWO, LINES)
    write_baseline(place, [first])
    kept, known, gone = apply([second], load_baseline(place))
    assert (kept, known) == ((second,), ())
    assert [entry.fingerprint for entry in gone] == [first.fingerprint]


def test_a_second_one_of_the_same_kind_is_new(place: Path) -> None:
    """One known finding does not excuse two."""
    twice = (finding(fingerprint="f", line=1), finding(fingerprint="f", line=2))
    write_baseline(place, twice[:1])
    assert apply(twice, load_baseline(place)) == (twice[1:], twice[:1], ())


def test_what_is_known_of_other_files_is_not_gone(place: Path) -> None:
    """A look at one file says nothing of the others."""
    write_baseline(place, [finding(), finding(path="b.py")])
    gone = apply([], load_baseline(place), checked={"a.py"})[2]
    assert [entry.path for entry in gone] == ["a.py"]


def test_an_update_after_a_look_at_some_files_keeps_the_others(place: Path) -> None:
    """Only what was looked at is written anew."""
    write_baseline(place, [finding(), finding(path="b.py")])
    assert write_baseline(place, [], checked={"a.py"}) == 1
    assert [entry.path for entry in load_baseline(place).findings] == ["b.py"]


def test_what_is_known_of_tools_that_did_not_look_is_not_gone(place: Path) -> None:
    """A machine without mypy says nothing of its findings."""
    write_baseline(place, [finding(), finding(tool="mypy")])
    gone = apply([], load_baseline(place), absent={"mypy"})[2]
    assert [entry.tool for entry in gone] == ["ruff"]


def test_an_update_without_some_tools_keeps_what_they_found(place: Path) -> None:
    """What only mypy can find stays known where mypy is missing."""
    write_baseline(place, [finding(), finding(tool="mypy")])
    assert write_baseline(place, [], absent={"mypy"}) == 1
    assert [entry.tool for entry in load_baseline(place).findings] == ["mypy"]


def test_what_is_found_although_its_tool_gave_up_is_written_once(place: Path) -> None:
    """A tool that failed on some files may have found something in others."""
    write_baseline(place, [finding(), finding(path="b.py")])
    assert write_baseline(place, [finding()], absent={"ruff"}) == 2


def test_an_update_of_none_begins_one(place: Path) -> None:
    """The first one is written whatever was looked at."""
    assert write_baseline(place, [finding()], checked={"a.py"}) == 1


def test_what_was_not_checked_is_never_known(place: Path) -> None:
    """A crash that is in the baseline by hand still fails, and is not written into one."""
    crash = finding(tool="python_mypy", code=PLUGIN_FAILED)
    assert write_baseline(place, [crash]) == 0
    write_baseline(place, [finding(tool="python_mypy")])
    assert apply([crash], load_baseline(place))[0] == (crash,)


def test_that_no_checker_is_there_is_no_finding_to_know(place: Path) -> None:
    """It depends on what a machine has installed, and fails nothing."""
    bare = finding(tool=ENGINE, code=NO_CHECKER)
    assert write_baseline(place, [bare]) == 0
    assert apply([bare], load_baseline(place)) == ((bare,), (), ())


def test_a_finding_of_no_file_is_not_written(place: Path) -> None:
    """A baseline is about files."""
    assert write_baseline(place, [finding(path=None)]) == 0
    assert load_baseline(place) == Baseline()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"\xff\xfe",
        b"{" * 100_000,
        b'{"version": 1}',
        b'{"version": 1, "files": {"a.py": [{"tool": "ruff"}]}}',
        b'{"version": 1, "files": {"a.py": [{"tool": 1, "fingerprint": "f"}]}}',
        b'<<<<<<< HEAD\n{"version": 1, "files": {}}\n',
        b'{"version": 2, "files": {}}',
    ],
)
def test_what_is_no_baseline_is_refused_with_a_way_out(place: Path, content: bytes) -> None:
    """Nonsense, a merge conflict, another version: named, with the command that mends it."""
    place.write_bytes(content)
    with pytest.raises(ConfigError, match=r"baseline\.json") as caught:
        load_baseline(place)
    assert "--update-baseline" in (caught.value.hint or "")


def test_a_missing_baseline_or_a_folder_is_refused(place: Path) -> None:
    """Nothing is guessed."""
    for path in (place, place.parent):
        with pytest.raises(ConfigError, match="there is no baseline"):
            load_baseline(path)


def test_a_huge_baseline_is_not_read(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a bound to what is taken into memory."""
    place.write_bytes(b" " * 100)
    monkeypatch.setattr(module, "MAX_BYTES", 99)
    with pytest.raises(ConfigError, match="too large"):
        load_baseline(place)


def test_a_baseline_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    """A name that no file system takes is a clear error."""
    with pytest.raises(ConfigError, match="cannot read"):
        load_baseline(tmp_path / ("x" * 300))


def test_a_new_baseline_has_the_usual_mode_and_an_old_one_keeps_its_own(place: Path) -> None:
    """It is a file of the user's, made under the user's mask."""
    old = os.umask(0o022)
    try:
        write_baseline(place, [])
    finally:
        os.umask(old)
    assert place.stat().st_mode & 0o777 == 0o644
    place.chmod(0o640)
    write_baseline(place, [finding()])
    assert place.stat().st_mode & 0o777 == 0o640


def test_a_link_to_a_baseline_is_written_through(tmp_path: Path) -> None:
    """The link stays a link."""
    (tmp_path / "real").mkdir()
    link = tmp_path / "baseline.json"
    link.symlink_to(tmp_path / "real" / "kept.json")
    write_baseline(link, [finding()])
    assert link.is_symlink()
    assert len(load_baseline(tmp_path / "real" / "kept.json").findings) == 1


def test_a_baseline_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    """A folder in its place: an error that says so, and no scraps beside it."""
    blocked = tmp_path / "baseline.json"
    blocked.mkdir()
    with pytest.raises(EnvironmentProblem, match="cannot write"):
        write_baseline(blocked, [finding()])
    assert list(tmp_path.iterdir()) == [blocked]


def test_a_baseline_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    """The folder that it should be in cannot be made."""
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentProblem, match="cannot write"):
        write_baseline(tmp_path / "file" / "baseline.json", [])
