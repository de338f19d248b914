"""What contradicts itself is an error, what is odd a warning."""

from __future__ import annotations

from pathlib import Path

from penstock.planning.specs.api import SpecReport
from penstock.planning.specs.check import check
from penstock.planning.specs.index import build_index
from penstock.planning.specs.rules import DEFAULT
from tests.support.repos import write

MODULE = "src/pipeline/db.py"


def checked(
    tmp_path: Path, files: dict[str, str | bytes | None], *, there: bool = True
) -> SpecReport:
    """The report on a repository with these documents, its modules there or not."""
    write(tmp_path, {f"docs/{name}": content for name, content in files.items()})
    index = build_index(tmp_path / "docs", root=tmp_path)
    return check(index, DEFAULT, lambda _: there)


def told(report: SpecReport) -> list[tuple[str, str]]:
    """Its problems: code and place."""
    return [(problem.code, str(problem.place)) for problem in report.problems]


def test_each_tag_once_and_every_module_there_is_well(tmp_path: Path) -> None:
    """Links are no second place."""
    report = checked(tmp_path, {"a.md": "[IDX-DB-1] x\nsee [IDX-DB-1](a.md)\n", "b.md": "x\n"})
    assert (report.ok, report.tags, report.files, report.problems) == (True, 2, 2, ())


def test_a_tag_in_two_places_is_an_error(tmp_path: Path) -> None:
    """It names all places, as far as they can be counted."""
    report = checked(
        tmp_path, {"a.md": "[IDX-DB-1] x\n" * 7, "b.md": "[IDX-DB-1] y [IDX-DB-2] z\n"}
    )
    assert not report.ok
    (problem,) = report.problems
    assert (problem.code, str(problem.place)) == ("duplicate-tag", "docs/a.md:2")
    assert problem.text.startswith("IDX-DB-1 stands in 8 places: docs/a.md:1, docs/a.md:2,")
    assert problem.text.endswith("and 3 more")


def test_a_target_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """Each tag that leads there is told, in the order of places."""
    report = checked(tmp_path, {"b.md": "[IDX-DB-2] y\n", "a.md": "[IDX-DB-1] x\n"}, there=False)
    assert told(report) == [("missing-target", "docs/a.md:1"), ("missing-target", "docs/b.md:1")]
    assert MODULE in report.problems[0].text
    assert not report.ok


def test_odd_things_are_warnings(tmp_path: Path) -> None:
    """Other shapes, links to nothing, near misses, unreadable files."""
    text = "[IDX-2FA-1] x\n[IDX-DB-9](a.md)\n[idx-db-1]\n"
    report = checked(tmp_path, {"a.md": text, "b.md": b"\xff\xfe["}, there=False)
    assert told(report) == [
        ("unknown-shape", "docs/a.md:1"),
        ("undefined-tag", "docs/a.md:2"),
        ("no-tag", "docs/a.md:3"),
        ("unreadable", "docs/b.md:1"),
    ]
    assert report.ok


def test_modules_are_looked_for_once(tmp_path: Path) -> None:
    """However many tags lead there."""
    write(tmp_path, {"docs/a.md": "".join(f"[IDX-DB-{n}] x\n" for n in range(9))})
    asked: list[str] = []

    def exists(module: str) -> bool:
        asked.append(module)
        return True

    assert check(build_index(tmp_path / "docs", root=tmp_path), DEFAULT, exists).ok
    assert asked == [MODULE]
