"""From files to a report, and the exceptions it turns into."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import (
    BundleCycleError,
    BundleDependencyError,
    BundleError,
    BundleValidationError,
    ConfigError,
    FileScopeOverlapError,
)
from penstock.planning import load
from penstock.planning.api import ProblemType, ValidationReport
from penstock.planning.bundles import (
    detect_cycles,
    detect_filescope_overlaps,
    load_and_validate_bundles,
    load_bundle_file,
)
from penstock.planning.load import load_bundles, raise_for
from tests.support.bundles import bundle, bundle_dict, write_bundles


def ids(report: ValidationReport) -> list[str]:
    """The ids of the bundles of a report."""
    return [loaded.bundle.id for loaded in report.bundles]


def test_a_directory_is_read_in_path_order_and_sorted_by_id(tmp_path: Path) -> None:
    """Objects and lists, directly in the directory; the result is sorted by id."""
    write_bundles(tmp_path, "b.json", bundle_dict("ws-a"))
    write_bundles(tmp_path, "a.json", [bundle_dict("ws-c"), bundle_dict("ws-b")])
    write_bundles(tmp_path / "sub", "c.json", bundle_dict("ws-d"))
    report = load_bundles([], tmp_path)
    assert report.ok
    assert report.bundles_checked == 3
    assert ids(report) == ["ws-a", "ws-b", "ws-c"]
    assert [Path(loaded.file).name for loaded in report.bundles] == ["b.json", "a.json", "a.json"]


def test_errors_come_in_path_order(tmp_path: Path) -> None:
    """Files are judged in the order of their names, all of them."""
    for name in ("b.json", "a.json", "c.json"):
        write_bundles(tmp_path, name, {"id": name[0]})
    files = [Path(problem.file or "").name for problem in load_bundles([], tmp_path).errors]
    assert list(dict.fromkeys(files)) == ["a.json", "b.json", "c.json"]


def test_a_named_file_may_depend_on_the_directory(tmp_path: Path) -> None:
    """Bundles of the directory can be named but are not judged; those of the file are."""
    write_bundles(tmp_path / "w", "a.json", bundle_dict("ws-a"))
    write_bundles(tmp_path / "w", "broken.json", [bundle_dict("ws-x", gate=0), 3])
    (tmp_path / "w" / "worse.json").write_text("{", encoding="utf-8")
    named = write_bundles(tmp_path, "n.json", bundle_dict("ws-n", depends_on=["ws-a", "ws-x"]))
    report = load_bundles([named], tmp_path / "w")
    assert report.ok, report.errors
    assert ids(report) == ["ws-n"]
    assert [loaded.bundle.id for loaded in report.available] == ["ws-a"]
    assert not load_bundles([named], None).ok


def test_a_named_file_of_the_directory_is_read_once(tmp_path: Path) -> None:
    """Naming a file of the directory, in any spelling, is no duplicate."""
    path = write_bundles(tmp_path, "a.json", bundle_dict("ws-a", depends_on=["ws-b"]))
    write_bundles(tmp_path, "b.json", bundle_dict("ws-b"))
    report = load_bundles([path, tmp_path / "." / "a.json"], tmp_path)
    assert report.ok
    assert ids(report) == ["ws-a"]


def test_a_named_file_beats_the_directory(tmp_path: Path) -> None:
    """A copy elsewhere with the same id is the one that is meant."""
    write_bundles(tmp_path / "w", "a.json", bundle_dict("ws-a", gate=9))
    named = write_bundles(tmp_path, "a.json", bundle_dict("ws-a"))
    report = load_bundles([named], tmp_path / "w")
    assert report.ok
    assert (report.bundles[0].bundle.gate, report.available) == (1, ())


def test_a_cycle_through_the_directory_is_told(tmp_path: Path) -> None:
    """It is the named bundle's problem; a cycle within the directory is not."""
    write_bundles(tmp_path / "w", "a.json", bundle_dict("ws-a", depends_on=["ws-n"]))
    write_bundles(tmp_path / "w", "b.json", bundle_dict("ws-b", depends_on=["ws-b"]))
    named = write_bundles(tmp_path, "n.json", bundle_dict("ws-n", depends_on=["ws-a"]))
    problem = load_bundles([named], tmp_path / "w").errors[0]
    assert (problem.type, problem.id, problem.path) == ("cycle", "ws-n", "$.depends_on[0]")


def test_a_directory_can_be_named(tmp_path: Path) -> None:
    """A path may be a directory of bundles."""
    write_bundles(tmp_path / "other", "a.json", bundle_dict())
    assert ids(load_bundles([tmp_path / "other"], tmp_path / "missing")) == ["ws-a"]


@pytest.mark.parametrize(
    ("name", "words"),
    [("w", "directory not found; 'penstock init' makes one"), ("a.json", "file not found")],
)
def test_what_is_not_there_is_a_config_problem(tmp_path: Path, name: str, words: str) -> None:
    """A missing directory or file is told with what to do."""
    problem = load_bundles([tmp_path / name], None).errors[0]
    assert (problem.type, problem.file) == (ProblemType.CONFIG, str(tmp_path / name))
    assert problem.details == words


def test_nothing_asked_is_nothing_found(tmp_path: Path) -> None:
    """Neither paths nor directory, or an empty directory: no bundles, no errors."""
    for report in (load_bundles([], None), load_bundles([], tmp_path)):
        assert (report.ok, report.bundles_checked, report.bundles) == (True, 0, ())
    write_bundles(tmp_path, "a.json", [])
    assert load_bundles([], tmp_path).ok


def test_a_directory_that_cannot_be_listed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without permission to list it (played, for root may), the directory is the problem."""

    def refuse(_path: Path) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    problem = load_bundles([], tmp_path).errors[0]
    assert (problem.type, problem.details) == (
        "config",
        "directory cannot be listed: Permission denied",
    )


def test_a_file_name_in_any_bytes_can_be_printed(tmp_path: Path) -> None:
    """A name that is no text neither stops the reading nor breaks the report."""
    path = os.fsencode(tmp_path) + b"/\xff.json"
    Path(os.fsdecode(path)).write_text("{", encoding="utf-8")
    document = json.dumps(load_bundles([], tmp_path).as_json(), ensure_ascii=False)
    assert "udcff.json" in document
    assert document.encode()


def test_too_many_bundles_in_a_file_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of a hundred thousand bundles is no file that people review."""
    monkeypatch.setattr(load, "MAX_BUNDLES", 2)
    write_bundles(tmp_path, "a.json", [1, 2, 3])
    report = load_bundles([], tmp_path)
    assert (
        report.errors[0].details == "more than 2 bundles in one file; split it into several files"
    )
    assert len(report.errors) == 1


def test_after_many_problems_the_rest_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bundles beyond the limit are still judged, and said to be wrong in one line."""
    monkeypatch.setattr(load, "LIMIT", 3)
    wrong = [bundle_dict(f"ws-{at}", gate=0) for at in range(5)]
    write_bundles(tmp_path, "a.json", [*wrong, bundle_dict("ws-good")])
    report = load_bundles([], tmp_path)
    texts = [problem.text for problem in report.errors]
    assert (len(texts), texts[-1]) == (4, "2 more bundles are wrong; mend these first")
    assert (report.bundles_checked, ids(report)) == (6, ["ws-good"])


def test_the_documented_json(tmp_path: Path) -> None:
    """Exactly the documented keys, for a clean report and for one with errors."""
    path = write_bundles(tmp_path, "a.json", bundle_dict())
    assert load_bundles([path], None).as_json() == {"ok": True, "bundles_checked": 1, "errors": []}
    path = write_bundles(tmp_path, "a.json", bundle_dict(gate=0))
    assert load_bundles([path], None).as_json() == {
        "ok": False,
        "bundles_checked": 1,
        "errors": [
            {
                "type": "schema",
                "file": str(path),
                "id": "ws-a",
                "path": "$.gate",
                "details": "expected a whole number of at least 1, found 0",
            }
        ],
    }


@pytest.mark.parametrize(
    ("bundles", "error", "message"),
    [
        ([bundle_dict(gate=0)], BundleValidationError, r"\[0\]\.gate: expected"),
        ([bundle_dict()] * 2, BundleValidationError, "Duplicate bundle id"),
        ([bundle_dict(depends_on=["x"])], BundleDependencyError, "Missing dependency references"),
        ([bundle_dict(depends_on=["ws-a"])], BundleCycleError, r"Dependency cycle\(s\) detected"),
        (
            [bundle_dict(files_scope=["x"]), bundle_dict("ws-b", files_scope=["x"])],
            FileScopeOverlapError,
            "File scope overlaps detected",
        ),
    ],
)
def test_each_kind_has_its_exception(
    tmp_path: Path, bundles: list[Any], error: type[BundleError], message: str
) -> None:
    """The documented functions raise the first kind, a ValueError, with all of that kind."""
    path = write_bundles(tmp_path, "a.json", bundles)
    for read in (load_bundle_file, lambda p: load_and_validate_bundles(p.parent)):
        with pytest.raises(error, match=message) as caught:
            read(path)
        assert isinstance(caught.value, ValueError)
        assert caught.value.hint == "penstock validate"


def test_a_missing_directory_is_a_configuration_error(tmp_path: Path) -> None:
    """There is nothing wrong with a bundle then."""
    with pytest.raises(ConfigError, match="directory not found"):
        load_and_validate_bundles(tmp_path / "missing")


def test_clean_bundles_are_returned(tmp_path: Path) -> None:
    """The documented functions give bundles, sorted by id."""
    path = write_bundles(tmp_path, "a.json", [bundle_dict("ws-b"), bundle_dict("ws-a")])
    assert [b.id for b in load_bundle_file(path, known_capabilities=[])] == ["ws-a", "ws-b"]
    assert [b.id for b in load_and_validate_bundles(tmp_path)] == ["ws-a", "ws-b"]
    raise_for(load_bundles([path], None))


def test_the_documented_detectors() -> None:
    """Cycles from their smallest id, overlaps as pairs with their claims."""
    ring = [bundle("ws-b", depends_on=["ws-a"]), bundle("ws-a", depends_on=["ws-b"])]
    assert detect_cycles(ring) == [("ws-a", "ws-b")]
    rivals = [bundle("ws-b", files_scope=["src/"]), bundle("ws-a", files_scope=["src/x"])]
    found = [(o.a, o.b, o.claim_a, o.claim_b) for o in detect_filescope_overlaps(rivals)]
    assert found == [("ws-a", "ws-b", "src/x", "src/")]
