"""What is wrong with a change: what the openspec program rejects, with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.planning.sources.api import PlanSource, Severity
from penstock.planning.sources.openspec_deltas import (
    folded_name,
    has_delta_section,
    main_requirements,
    read_deltas,
)
from tests.support.plan_texts import CHANGE, SPEC, codes, read_change, text_file, write_tree

FILE = f"{CHANGE}/specs/user-auth/spec.md"
STEPS = "\n#### Scenario: Good\n- **WHEN** this\n- **THEN** that\n"
MAIN = "# Auth\n\n## Purpose\nx\n\n## Requirements\n"


def requirement(name: str, body: str = "It SHALL work.", steps: str = STEPS) -> str:
    """A requirement with a scenario."""
    return f"### Requirement: {name}\n{body}\n{steps}"


def faults(source: PlanSource, severity: Severity = Severity.ERROR) -> list[tuple[str, str]]:
    """Code and place of each notice of a severity."""
    found = [n for n in source.notices if n.severity is severity]
    return [(n.code, str(n.place).removeprefix(f"{CHANGE}/")) for n in found]


def errors(tmp_path: Path, spec: str, main: str | None = None) -> list[tuple[str, int]]:
    """Code and line of each error in a delta spec."""
    if main is not None:
        write_tree(tmp_path, {"openspec/specs/user-auth/spec.md": main})
    source = read_change(tmp_path, {"specs/user-auth/spec.md": spec})
    wrong = [n for n in source.notices if n.severity is Severity.ERROR and n.code != "no-deltas"]
    assert all(n.place and n.place.file == FILE for n in wrong)
    return [(n.code, n.place.line) for n in wrong if n.place]


# -- delta specs -----------------------------------------------------------------------------------
def test_a_good_delta_spec_has_no_faults(tmp_path: Path) -> None:
    """All four sections, in any case and order."""
    spec = (
        "## Renamed requirements\n- FROM: `### Requirement: A`\n- TO: `### Requirement: B`\n"
        f"## REMOVED Requirements\n### Requirement: C\n## added REQUIREMENTS\n{requirement('D')}"
        f"## MODIFIED Requirements\n{requirement('E')}"
    )
    assert errors(tmp_path, spec) == []


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("# Notes\nwords\n", [("no-delta-section", 1)]),
        ("## ADDED Requirements\nwords\n", [("empty-delta-section", 1)]),
        ("## ADDED Requirements\n### Requirement: A\n", [("requirement-without-text", 2), ("requirement-without-scenario", 2)]),
        (f"## ADDED Requirements\n{requirement('A', steps='')}", [("requirement-without-scenario", 2)]),
        (f"## ADDED Requirements\n{requirement('A', steps='#### Scenario: a')}", [("requirement-without-scenario", 2)]),
        (f"## ADDED Requirements\n{requirement('A', '')}", [("requirement-without-text", 2)]),
        (f"## ADDED Requirements\n{requirement('A') * 2}", [("duplicate-requirement", 8)]),
        (f"## MODIFIED Requirements\n{requirement('A')}## REMOVED Requirements\n### Requirement: A\n", [("conflicting-deltas", 2)]),
        (f"## ADDED Requirements\n{requirement('A')}## REMOVED Requirements\n- ### Requirement: A ##\n", [("conflicting-deltas", 2)]),
        (f"## MODIFIED Requirements\n{requirement('A')}## ADDED Requirements\n{requirement('A')}", [("conflicting-deltas", 2)]),
        ("## RENAMED Requirements\n- FROM: ### Requirement: A\n", [("unpaired-rename", 2), ("empty-delta-section", 1)]),
        ("## RENAMED Requirements\nTO: ### Requirement: A\n", [("unpaired-rename", 2), ("empty-delta-section", 1)]),
    ],
)  # fmt: skip
def test_what_the_program_rejects_is_an_error(
    tmp_path: Path, spec: str, found: list[tuple[str, int]]
) -> None:
    """With the line of the requirement, or that of the file where the whole is at fault."""
    assert sorted(errors(tmp_path, spec)) == sorted(found)


RENAMED = "## RENAMED Requirements\n* FROM: `### Requirement: A`\n* TO: `### Requirement: B`\n"


@pytest.mark.parametrize(
    ("more", "found"),
    [
        (RENAMED, [("duplicate-requirement", 6), ("duplicate-requirement", 6)]),
        (f"## MODIFIED Requirements\n{requirement('A')}", [("conflicting-deltas", 5)]),
        (f"## ADDED Requirements\n{requirement('B')}", [("conflicting-deltas", 3)]),
        ("## REMOVED Requirements\n### Requirement: a\n", [("conflicting-deltas", 3)]),
    ],
)
def test_renames_conflict_with_other_sections(
    tmp_path: Path, more: str, found: list[tuple[str, int]]
) -> None:
    """Old names are not modified or removed, new ones not added; not even in another case."""
    assert errors(tmp_path, RENAMED + more) == found


def test_fenced_lines_are_no_structure(tmp_path: Path) -> None:
    """Neither headers nor scenarios nor renames."""
    fenced = "```\n## REMOVED Requirements\n### Requirement: X\n#### Scenario: no\n```\n"
    spec = f"## ADDED Requirements\n{requirement('A', fenced, '')}"
    assert codes(read_change(tmp_path, {"specs/user-auth/spec.md": spec}).notices) == [
        "requirement-without-text",
        "requirement-without-scenario",
    ]


def test_what_is_only_advice_is_no_error(tmp_path: Path) -> None:
    """No SHALL, a requirement in no section, a header that is none."""
    spec = f"## ADDED Requirements\n{requirement('A', 'It works.')}### Divider\n## Notes\n### Requirement: N\n"
    source = read_change(tmp_path, {"specs/user-auth/spec.md": spec})
    assert faults(source) == []
    warnings = [
        ("orphaned-requirement", "specs/user-auth/spec.md:10"),
        ("no-shall", "specs/user-auth/spec.md:2"),
    ]
    assert faults(source, Severity.WARNING) == warnings
    assert faults(source, Severity.INFO) == [("stray-header", "specs/user-auth/spec.md:8")]


@pytest.mark.parametrize(
    "body", ["**Rule**: it MUST", "**ID**: 7\nIt SHALL", "Text\nthat SHALL wrap"]
)
def test_what_a_requirement_demands_may_wrap(tmp_path: Path, body: str) -> None:
    """Labelled lines count when there are no others."""
    spec = f"## ADDED Requirements\n{requirement('A', body)}"
    assert read_change(tmp_path, {"specs/user-auth/spec.md": spec}).notices == ()


# -- current specs ---------------------------------------------------------------------------------
TWO = "#### Scenario: Good\n- a\n#### Scenario: Bad\n- b\n"


def test_a_modified_requirement_must_keep_its_scenarios(tmp_path: Path) -> None:
    """It replaces the whole of the current one."""
    spec = f"## MODIFIED Requirements\n{requirement('A')}"
    assert errors(tmp_path, spec, MAIN + requirement("A", steps=TWO)) == [("lost-scenarios", 2)]


@pytest.mark.parametrize("main", [MAIN + requirement("B", steps=TWO), MAIN, "# Nothing\n", None])
def test_without_a_current_requirement_nothing_is_lost(tmp_path: Path, main: str | None) -> None:
    """Another change may bring it."""
    assert errors(tmp_path, f"## MODIFIED Requirements\n{requirement('A')}", main) == []


def test_renamed_requirements_are_compared_with_what_they_were(tmp_path: Path) -> None:
    """Through any number of renames, and through a circle of them."""
    chain = "- FROM: ### Requirement: A\n- TO: ### Requirement: B\n- FROM: ### Requirement: B\n- TO: ### Requirement: C\n"
    spec = f"## RENAMED Requirements\n{chain}## MODIFIED Requirements\n{requirement('C')}"
    assert errors(tmp_path, spec, MAIN + requirement("A", steps=TWO)) == [("lost-scenarios", 7)]
    ring = chain.replace("Requirement: A", "Requirement: C")
    spec = f"## RENAMED Requirements\n{ring}## MODIFIED Requirements\n{requirement('D')}"
    assert errors(tmp_path, spec) == []


# -- the change as a whole -------------------------------------------------------------------------
def whole(tmp_path: Path, **files: str | None) -> list[str]:
    """The codes of the errors of a change without its usual delta spec."""
    named = {name.replace("__", "/").replace("_md", ".md"): text for name, text in files.items()}
    meta = named.pop("meta", None)
    source = read_change(
        tmp_path, {"specs/user-auth/spec.md": None, ".openspec.yaml": meta, **named}
    )
    return [code for code, _ in faults(source)]


def test_a_change_without_deltas_is_rejected(tmp_path: Path) -> None:
    """Unless it says that it needs none."""
    assert whole(tmp_path / "a") == ["no-deltas"]
    assert whole(tmp_path / "b", meta="schema: spec-driven\nskip_specs: true # docs\n") == []
    assert whole(tmp_path / "c", meta="schema: spec-driven\nskip_specs: false\n") == ["no-deltas"]


def test_a_change_that_skips_specs_has_no_files_of_them(tmp_path: Path) -> None:
    """Not even notes; hidden files do not count."""
    meta = "schema: spec-driven\nskip_specs: true\n"
    assert whole(tmp_path / "a", meta=meta, specs__notes_md="x") == ["skip-specs-conflict"]
    assert whole(tmp_path / "b", meta=meta, **{"specs__.keep": ""}) == []


@pytest.mark.parametrize(
    "meta",
    [
        "skip_specs: true\n", "schema: nobody\nskip_specs: true\n", "schema: spec-driven\nskip_specs: yes\n",
        "schema: ../x\nskip_specs: true\n", "schema: [\nskip_specs: true\n", "skip_specs: true\nskip_specs: true\n",
        "schema: spec-driven\nskip_specs: true\ncreated: soon\n", "schema: spec-driven\nskip_specs: true\ngoal:\n",
        "schema: spec-driven\nskip_specs: true\naffected_areas: src\n",
        "schema: spec-driven\nskip_specs: true\naffected_areas: ['']\n",
        "schema: spec-driven\nskip_specs: true\ninitiative: x\n",
        "schema: spec-driven\nskip_specs: true\ninitiative: {store: A, id: b}\n",
        "schema: spec-driven\nskip_specs: true\nretire_capabilities: maybe\n",
    ],
)  # fmt: skip
def test_skipping_specs_counts_in_good_metadata_only(tmp_path: Path, meta: str) -> None:
    """The program reads no other."""
    assert whole(tmp_path, meta=meta) == ["bad-change-metadata", "no-deltas"]


@pytest.mark.parametrize("meta", ["created: soon\n", "schema: [\n", "schema: nobody\n"])
def test_bad_metadata_without_it_is_a_warning(tmp_path: Path, meta: str) -> None:
    """Validation passes, other commands of the program fail."""
    source = read_change(tmp_path, {".openspec.yaml": meta})
    assert faults(source) == []
    assert "odd-change-metadata" in codes(source.notices)


@pytest.mark.parametrize(
    "name", ["specs__spec_md", "specs__notes_md", "specs__user-auth__delta_md"]
)
def test_deltas_in_files_that_are_not_read_are_errors(tmp_path: Path, name: str) -> None:
    """At the top of specs, or under another name."""
    assert whole(tmp_path, **{name: SPEC}) == ["misplaced-deltas"]


def test_notes_among_the_specs_are_fine(tmp_path: Path) -> None:
    """Without a section of deltas."""
    assert read_change(tmp_path, {"specs/notes.md": "words\n"}).notices == ()


def test_capabilities_may_be_nested(tmp_path: Path) -> None:
    """Their path is their name."""
    source = read_change(tmp_path, {"specs/user-auth/spec.md": None, "specs/a/b/spec.md": SPEC})
    assert source.units[0].acceptance[0].startswith("a/b: Log in")


def test_a_folder_around_changes_is_no_change(tmp_path: Path) -> None:
    """The error names those in it."""
    write_tree(tmp_path, {f"{CHANGE}/ios/dark/tasks.md": "- [ ] a\n"})
    source = read_change(
        tmp_path, {"proposal.md": None, "tasks.md": None, "specs/user-auth/spec.md": None}
    )
    (notice,) = [n for n in source.notices if n.code == "nested-change"]
    assert f"{CHANGE}/ios/dark" in notice.text


def test_many_deltas_earn_advice(tmp_path: Path) -> None:
    """More than ten."""
    spec = "## ADDED Requirements\n" + "".join(requirement(f"R{n}") for n in range(11))
    source = read_change(tmp_path, {"specs/user-auth/spec.md": spec})
    assert faults(source, Severity.INFO) == [("many-deltas", "None")]


def test_too_many_files_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The walk has an end."""
    monkeypatch.setattr("penstock.planning.sources.openspec_folder._MAX_FILES", 3)
    many = {f"specs/c{n}/spec.md": SPEC for n in range(6)}
    assert ("too-many-files", "None") in faults(read_change(tmp_path, dict(many)))


# -- the parts -------------------------------------------------------------------------------------
def test_requirements_and_scenarios_have_lines() -> None:
    """And names without closing signs."""
    (found,) = read_deltas(text_file(f"\n## ADDED Requirements\n\n{requirement('A ##')}")).added
    assert (found.name, found.line, found.text) == ("A", 4, "It SHALL work.")
    assert [(s.name, s.line) for s in found.scenarios] == [("Good", 7)]


def test_names_are_folded_to_find_slips() -> None:
    """Case, space and closing signs."""
    assert folded_name("Log  In ##") == folded_name("log in")


def test_the_sections_of_a_file_are_seen() -> None:
    """Those of deltas, and that of a current spec."""
    assert has_delta_section(text_file("## removed requirements\n"))
    assert not has_delta_section(text_file("## Requirements\n"))
    assert list(main_requirements(text_file(MAIN + requirement("A")))) == ["A"]
    assert main_requirements(text_file("# nothing\n")) == {}
