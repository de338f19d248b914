"""The log of what was checked."""

from __future__ import annotations

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from penstock.checks.inspection.errorlog import LIMIT_BYTES, NAME, write_log
from penstock.locks import exclusive
from penstock.model.finding import Finding, Severity
from penstock.model.inspection import CheckReport, FileResult, FileStatus


def result(path: str, *, cached: bool = False, errors: int = 0, warnings: int = 0) -> FileResult:
    """Return the result of one file."""
    severities = [Severity.ERROR] * errors + [Severity.WARNING] * warnings
    findings = tuple(Finding(tool="t", message="m", severity=each) for each in severities)
    status = FileStatus.FAILED if errors else FileStatus.PASSED
    return FileResult(path=path, status=status, findings=findings, cached=cached)


def report(*files: FileResult) -> CheckReport:
    """Return a report of the first second of 2026."""
    return CheckReport(started_at=1767225600.0, duration_s=0.1, files=files)


def lines(folder: Path) -> list[dict[str, object]]:
    """Return what the log holds."""
    text = (folder / NAME).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_each_file_gets_a_line(tmp_path: Path) -> None:
    """What was checked is validated, what came from the cache is skipped; counts stand beside."""
    folder = tmp_path / ".state"
    assert write_log(folder, report(result("a.py", errors=1, warnings=2))) is None
    assert write_log(folder, report(result("b.py", cached=True))) is None
    first, second = lines(folder)
    assert first == {
        "timestamp_utc": "2026-01-01T00:00:00Z",
        "event": "validated",
        "path": "a.py",
        "status": "FAILED",
        "errors": 1,
        "warnings": 2,
    }
    assert (second["event"], second["path"], second["status"]) == ("skipped", "b.py", "PASSED")


def test_it_is_for_its_owner_only(tmp_path: Path) -> None:
    """Nobody else may read which files there are."""
    write_log(tmp_path / ".state", report(result("a.py")))
    assert stat.S_IMODE((tmp_path / ".state" / NAME).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / ".state").stat().st_mode) == 0o700


def test_nothing_checked_writes_nothing(tmp_path: Path) -> None:
    """A run without files makes no log."""
    assert write_log(tmp_path / ".state", report()) is None
    assert not (tmp_path / ".state").exists()


def test_the_newest_lines_stay(tmp_path: Path) -> None:
    """The log never grows beyond its bound, and loses its oldest lines first, whole ones."""
    for run in range(30):
        write_log(tmp_path, report(*(result(f"{run}/{n}.py") for n in range(40))))
    found = lines(tmp_path)
    assert LIMIT_BYTES - 200 < (tmp_path / NAME).stat().st_size <= LIMIT_BYTES
    assert found[-1]["path"] == "29/39.py"
    assert found[0]["path"] != "0/0.py"


def test_a_run_longer_than_the_log_leaves_its_end(tmp_path: Path) -> None:
    """Of a run with more files than fit, the last ones are kept."""
    write_log(tmp_path, report(*(result(f"{n}.py") for n in range(5000))))
    assert (tmp_path / NAME).stat().st_size <= LIMIT_BYTES
    assert lines(tmp_path)[-1]["path"] == "4999.py"


def test_a_line_that_was_cut_off_goes(tmp_path: Path) -> None:
    """After a writer's death in the midst of a line the log can be read again."""
    write_log(tmp_path, report(result("a.py")))
    with (tmp_path / NAME).open("a") as stream:
        stream.write('{"timestamp_utc": "20')
    write_log(tmp_path, report(result("b.py")))
    assert [line["path"] for line in lines(tmp_path)] == ["a.py", "b.py"]


def test_names_that_are_no_text_are_escaped(tmp_path: Path) -> None:
    """The log stays UTF-8 whatever files are called."""
    write_log(tmp_path, report(result(os.fsdecode(b"\xff\n.py"))))
    assert lines(tmp_path)[0]["path"] == "\\xff\n.py"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """A log that is a link to another file does not write into that file."""
    (tmp_path / "precious").write_text("mine")
    (tmp_path / NAME).symlink_to("precious")
    write_log(tmp_path, report(result("a.py")))
    assert (tmp_path / "precious").read_text() == "mine"
    assert len(lines(tmp_path)) == 1


def test_two_at_once_lose_nothing(tmp_path: Path) -> None:
    """Lines of runs at the same time are all there."""
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda n: write_log(tmp_path, report(result(f"{n}.py"))), range(40)))
    assert said == [None] * 40
    assert {line["path"] for line in lines(tmp_path)} == {f"{n}.py" for n in range(40)}


def test_what_keeps_it_from_being_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is none, or a lock that is held, gives the reason and raises nothing."""
    monkeypatch.setattr("penstock.checks.inspection.errorlog.PATIENCE_S", 0.0)
    (tmp_path / "file").write_text("")
    assert "cannot be written" in (write_log(tmp_path / "file", report(result("a.py"))) or "")
    with exclusive(tmp_path / "pipeline_errors.lock", busy="held"):
        said = write_log(tmp_path, report(result("a.py")))
    assert "another process holds it" in (said or "")
