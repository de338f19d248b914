"""Changes of OpenSpec: groups of tasks, what they must fulfil, and what else a change says."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

import pytest

from penstock.errors import UsageError
from penstock.planning.sources.api import Dialect, PlanSource, Use
from penstock.planning.sources.reading import read_source
from penstock.planning.sources.recognise import Located, locate
from tests.support.openspec_changes import write_changes
from tests.support.plan_texts import (
    CHANGE,
    SPEC,
    at,
    codes,
    read_change,
    read_one,
    write_change,
    write_tree,
)

TASKS = f"{CHANGE}/tasks.md"


def tasks(tmp_path: Path, text: str) -> PlanSource:
    """A change with these tasks."""
    return read_change(tmp_path, {"tasks.md": text})


def texts(source: PlanSource) -> dict[str, list[str]]:
    """The texts of the items of each unit."""
    return {unit.key: [item.text for item in unit.items] for unit in source.units}


# -- the change ------------------------------------------------------------------------------------
def test_a_change_is_read_as_a_whole(tmp_path: Path) -> None:
    """Its id, title, files and group."""
    source = read_change(tmp_path)
    assert (source.dialect, source.id, source.plan_id) == (
        Dialect.OPENSPEC,
        "add-login",
        "add-login",
    )
    assert (source.title, source.path, source.notices) == ("Add a login", CHANGE, ())
    names = ("proposal.md", "specs/user-auth/spec.md", "tasks.md")
    assert list(source.files) == [f"{CHANGE}/{name}" for name in names]
    assert texts(source) == {"g1": ["Add `src/login.py` (new)", "Tell people"]}


@pytest.mark.parametrize(
    ("proposal", "title"),
    [
        ("# Change: Add a login\n", "Add a login"),
        ("# Proposal - Add a login\n", "Add a login"),
        ("# Add a login\n", "Add a login"),
        ("# Proposal\n## Why\n", "add-login"),
        ("## Why\n", "add-login"),
        (None, "add-login"),
    ],
)
def test_the_title_is_that_of_the_proposal(
    tmp_path: Path, proposal: str | None, title: str
) -> None:
    """Without one it is the id."""
    assert read_change(tmp_path, {"proposal.md": proposal}).title == title


@pytest.mark.parametrize(
    ("proposal", "style"),
    [("## Why\na\n## What Changes\n- b\n", "why"), ("## Intent\na\n## Approach\nb\n", "intent")],
)
def test_both_styles_of_proposals_are_accepted(tmp_path: Path, proposal: str, style: str) -> None:
    """Without a word."""
    source = read_change(tmp_path, {"proposal.md": proposal})
    assert (source.metadata["proposal"], source.notices) == (style, ())


def test_a_proposal_in_no_style_is_told(tmp_path: Path) -> None:
    """And one that is missing."""
    assert at(read_change(tmp_path, {"proposal.md": "words\n"}), "no-why") == [
        f"{CHANGE}/proposal.md:1"
    ]
    (tmp_path / CHANGE / "proposal.md").unlink()
    assert codes(read_one(tmp_path).notices) == ["no-proposal"]


def test_proposal_and_design_are_passages(tmp_path: Path) -> None:
    """By heading, with their lines."""
    source = read_change(tmp_path, {"design.md": "# Design\n\n## Files\nIn `src/auth.py`.\n"})
    found = [(p.role, str(p.place)) for p in source.passages if p.role == "design"]
    assert found == [("design", f"{CHANGE}/design.md:1"), ("design", f"{CHANGE}/design.md:3")]
    assert any(p.role == "proposal" and "a login" in p.text for p in source.passages)


def test_capabilities_are_kept(tmp_path: Path) -> None:
    """New and modified ones, as the proposal lists them."""
    text = "## Why\na\n## Capabilities\n### New Capabilities\n- `a/b`: x\n### Modified Capabilities\n* `c`\n"
    metadata = read_change(tmp_path, {"proposal.md": text}).metadata
    assert (metadata["new_capabilities"], metadata["modified_capabilities"]) == (["a/b"], ["c"])


def test_metadata_is_kept_with_what_is_not_known(tmp_path: Path) -> None:
    """Fields of the format, and others apart from them."""
    text = "schema: spec-driven\ncreated: 2025-01-02\ngoal: Log in # now\nmood: good\n"
    metadata = read_change(tmp_path, {".openspec.yaml": text}).metadata
    assert metadata["created"] == "2025-01-02"
    assert (metadata["goal"], metadata["unknown"]) == ("Log in", {"mood": "good"})


def test_areas_that_are_folders_and_roots_are_stated_paths(tmp_path: Path) -> None:
    """Others are words, and words are no scope."""
    write_tree(tmp_path, {"src/a.py": ""})
    text = "schema: spec-driven\naffected_areas: [src, the login]\nallowedEditRoots: [lib]\n"
    paths = read_change(tmp_path, {".openspec.yaml": text}).paths
    assert [(p.field, p.path, p.use) for p in paths] == [
        ("allowedEditRoots", "lib", Use.MODIFY),
        ("affected_areas", "src", Use.MODIFY),
    ]
    assert str(paths[0].place) == f"{CHANGE}/.openspec.yaml:3"


def test_order_in_prose_is_a_note_and_no_dependency(tmp_path: Path) -> None:
    """Only the lines that name the change itself."""
    prose = "1. add-login-page first\n2. then add-login.\n"
    write_tree(tmp_path, {"openspec/changes/IMPLEMENTATION_ORDER.md": prose})
    source = read_change(tmp_path)
    place = "openspec/changes/IMPLEMENTATION_ORDER.md:2"
    assert source.metadata["order_notes"] == [f"{place}: 2. then add-login."]
    assert source.units[0].depends_on == ()


def test_files_that_nobody_reads_are_named(tmp_path: Path) -> None:
    """People add a story and much else."""
    assert read_change(tmp_path, {"story.md": "x"}).metadata["other_files"] == ["story.md"]


def test_an_archived_change_is_not_to_be_done(tmp_path: Path) -> None:
    """Its open boxes are skipped, and it is said."""
    folder = "openspec/changes/archive/2025-01-02-add-login"
    source = read_one(write_change(tmp_path, folder=folder), "add-login")
    assert [item.state.value for item in source.items] == ["skipped", "done"]
    assert "archived" in codes(source.notices)


def test_a_change_need_not_lie_in_a_repository(tmp_path: Path) -> None:
    """A folder with a proposal, elsewhere: read with what is in it."""
    root = tmp_path / "repo"
    root.mkdir()
    write_change(tmp_path, folder="mine")
    source = read_one(root, "../mine")
    assert (source.path, source.id, len(source.items)) == ("../mine", "mine", 2)


def test_a_change_that_went_away_is_a_users_mistake(tmp_path: Path) -> None:
    """No traceback when it is gone between finding and reading."""
    gone = Located(dialect=Dialect.OPENSPEC, path=tmp_path / "gone", name="gone")
    with pytest.raises(UsageError, match="gone"):
        read_source(gone, tmp_path)


# -- tasks -----------------------------------------------------------------------------------------
def test_groups_are_units_with_gates_in_written_order(tmp_path: Path) -> None:
    """Keys by their numbers, gates by their order."""
    source = tasks(
        tmp_path, "## 2. B\n- [ ] 2.1 b\n## 1. A\n- [ ] 1.1 a\n## Notes\n- [ ] n\n## 7.\n"
    )
    assert [(u.key, u.gate, u.title, u.issue) for u in source.units] == [
        ("g2", 1, "B", "g2"),
        ("g1", 2, "A", "g1"),
        ("g-notes", 3, "Notes", "g-notes"),
    ]


def test_a_number_may_be_longer_than_a_number_can_be(tmp_path: Path) -> None:
    """Digits are compared as they stand, without zeros before them."""
    many = "9" * 5000
    source = tasks(tmp_path, f"## 0{many}. A\n- [ ] {many}.1 a\n- [ ] 00{many}.2 b\n")
    assert (source.units[0].key, source.notices) == (f"g{many}", ())


def test_boxes_above_the_groups_have_a_unit(tmp_path: Path) -> None:
    """Titled like the change."""
    source = tasks(tmp_path, "- [ ] a\n## 1. B\n- [ ] b\n")
    assert [(u.key, u.title) for u in source.units] == [("g0", "Add a login"), ("g1", "B")]


def test_without_headings_of_level_two_others_make_groups(tmp_path: Path) -> None:
    """People begin at level 3, or at 1."""
    assert list(texts(tasks(tmp_path, "### 1. A\n- [ ] a\n### 2. B\n- [ ] b\n"))) == ["g1", "g2"]


def test_ids_are_those_that_the_program_knows_and_bold_ones(tmp_path: Path) -> None:
    """1.2, 1.2.3, 1.2abc; the rest is the text."""
    source = tasks(
        tmp_path, "## 1. A\n- [ ] 1.1 a\n- [ ] 1.1.1abc b\n- [ ] **1.3** c\n- [ ] d\n- [ ] 1.4\n"
    )
    assert [(item.label, item.text) for item in source.items] == [
        ("1.1", "a"),
        ("1.1.1abc", "b"),
        ("1.3", "c"),
        (None, "d"),
        ("1.4", "1.4"),
    ]


def test_any_marker_and_mark_counts_and_only_x_is_done(tmp_path: Path) -> None:
    """`+`, `1.`, `1)`; `[~]`, `[]`, `[-]` are open."""
    source = tasks(tmp_path, "## 1. A\n+ [~] a\n1. [] b\n2) [-] c\n* [X] d\n  - [ x ] e\n")
    assert [item.state.value for item in source.items] == ["open", "open", "open", "done", "done"]
    assert at(source, "unknown-mark") == [f"{TASKS}:2", f"{TASKS}:4"]


def test_boxes_in_fences_count_as_the_program_counts_them(tmp_path: Path) -> None:
    """And it is said."""
    source = tasks(tmp_path, "## 1. A\n- [ ] a\n```\n- [x] b\n```\n<!--\n- [ ] c\n-->\n")
    assert [item.state.value for item in source.items] == ["open", "done", "open"]
    assert at(source, "hidden-box") == [f"{TASKS}:4", f"{TASKS}:7"]


def test_boxes_that_the_program_does_not_count_are_told(tmp_path: Path) -> None:
    """Without a marker, quoted, with a word or a picture for a mark."""
    source = tasks(tmp_path, "## 1. A\n- [ ] a\n[ ] b\n> - [ ] c\n- [WIP] d\n- [\U0001f6a7] e\n")
    assert len(source.items) == 1
    assert sorted(at(source, "unread-box")) == [f"{TASKS}:{line}" for line in (3, 4, 5, 6)]


def test_ids_that_are_wrong_are_told(tmp_path: Path) -> None:
    """Given twice, or those of another group; both tasks stay."""
    source = tasks(tmp_path, "## 1. A\n- [ ] 1.1 a\n- [ ] 1.1 b\n- [ ] 2.1 c\n")
    assert (at(source, "duplicate-id"), at(source, "task-numbering")) == (
        [f"{TASKS}:3"],
        [f"{TASKS}:4"],
    )
    assert [item.key for item in source.items] == ["1.1", "1.1-2", "2.1"]


@pytest.mark.parametrize(
    ("text", "code"),
    [("- a\n- b\n", "no-boxes"), ("words\n", "no-tasks"), ("", "no-tasks"), (None, "no-tasks")],
)
def test_a_change_without_tasks_says_so(tmp_path: Path, text: str | None, code: str) -> None:
    """A list without boxes counts as nothing, as for the program."""
    source = read_change(tmp_path, {"tasks.md": text})
    assert (source.units, codes(source.notices)) == ((), [code])


def test_a_schema_of_the_repository_names_its_task_files(tmp_path: Path) -> None:
    """Nested files of tasks, in the order of their paths; no check of numbers."""
    schema = "name: own\nartifacts:\n  - id: work\n    generates: '**/work.md'\napply:\n  tracks: '**/work.md'\n"
    write_tree(tmp_path, {"openspec/schemas/own/schema.yaml": schema})
    source = read_change(
        tmp_path,
        {
            ".openspec.yaml": "schema: own\n",
            "web/work.md": "## 1. A\n- [ ] 2.1 a\n",
            "work.md": "## 1. B\n- [ ] b\n",
        },
    )
    assert [unit.place.file for unit in source.units] == [
        f"{CHANGE}/web/work.md",
        f"{CHANGE}/work.md",
    ]
    assert (texts(source), codes(source.notices)) == ({"g1": ["a"], "g1-2": ["b"]}, [])


@pytest.mark.parametrize(
    "schema",
    [
        "",
        "apply: no\nartifacts: [1, {id: tasks, generates: todo.md}]\n",
        "artifacts: no\n",
        "- a\n",
    ],
)
def test_a_schema_that_names_no_file_means_tasks_md(tmp_path: Path, schema: str) -> None:
    """The tasks are never lost for a schema's sake."""
    write_tree(
        tmp_path,
        {"openspec/schemas/own/schema.yaml": schema, "openspec/config.yaml": "schema: own\n"},
    )
    source = read_change(tmp_path)
    assert (source.metadata["schema"], len(source.items)) == ("own", 2)


# -- acceptance ------------------------------------------------------------------------------------
def accepted(tmp_path: Path, text: str, spec: str = SPEC) -> dict[str, tuple[str, ...]]:
    """What each unit must fulfil."""
    source = read_change(tmp_path, {"tasks.md": text, "specs/user-auth/spec.md": spec})
    return {unit.key: unit.acceptance for unit in source.units}


LINE = "user-auth: Log in / Right password: WHEN the password is right THEN they are in"


def test_scenarios_go_to_the_group_that_names_their_requirement(tmp_path: Path) -> None:
    """And their text, to find paths in."""
    text = "## 1. Work\n- [ ] Let people log in\n## 2. Docs\n- [ ] user-auth page\n"
    assert accepted(tmp_path, text) == {"g1": (LINE,), "g2": ()}
    (found,) = read_one(tmp_path).units[0].passages
    assert (found.role, str(found.place)) == ("spec", f"{CHANGE}/specs/user-auth/spec.md:3")


def test_without_such_a_group_they_go_to_those_that_name_the_capability(tmp_path: Path) -> None:
    """By its path or by all its words."""
    text = "## 1. Auth of users\n- [ ] a\n## 2. Docs\n- [ ] b\n"
    assert accepted(tmp_path, text) == {"g1": (LINE,), "g2": ()}


def test_what_no_group_names_goes_to_all_and_is_said(tmp_path: Path) -> None:
    """In the metadata."""
    assert accepted(tmp_path, "## 1. A\n- [ ] a\n## 2. B\n- [ ] b\n") == {
        "g1": (LINE,),
        "g2": (LINE,),
    }
    source = read_one(tmp_path)
    assert source.metadata["acceptance_on_all"] == ["user-auth: Log in"]
    assert [p.role for p in source.passages].count("spec") == 1


def test_words_in_other_forms_are_the_same(tmp_path: Path) -> None:
    """`Validate passwords` is about `Password validation`."""
    spec = SPEC.replace("Requirement: Log in", "Requirement: Password validation")
    found = accepted(tmp_path, "## 1. A\n- [ ] Validate passwords\n## 2. B\n- [ ] b\n", spec)
    assert [len(lines) for lines in found.values()] == [1, 0]


def test_names_without_ascii_letters_are_found_as_they_stand(tmp_path: Path) -> None:
    """Chinese and Japanese requirements too."""
    spec = SPEC.replace("Requirement: Log in", "Requirement: 登录")
    found = accepted(tmp_path, "## 1. A\n- [ ] 实现登录\n## 2. B\n- [ ] b\n", spec)
    assert [len(lines) for lines in found.values()] == [1, 0]


def test_removed_and_renamed_requirements_are_acceptance(tmp_path: Path) -> None:
    """One line each."""
    spec = (
        "## REMOVED Requirements\n- `### Requirement: Cookies`\n"
        "## RENAMED Requirements\n- FROM: `### Requirement: A`\n- TO: `### Requirement: B`\n"
    )
    assert accepted(tmp_path, "- [ ] a\n", spec)["g0"] == (
        "user-auth: Cookies is removed",
        "user-auth: A is renamed to B",
    )


def test_a_requirement_without_a_scenario_is_accepted_by_its_text(tmp_path: Path) -> None:
    """It is an error, and still what is wanted."""
    spec = (
        "## ADDED Requirements\n### Requirement: Fast\nIt SHALL be\nfast.\n### Requirement: Bare\n"
    )
    lines = accepted(tmp_path, "- [ ] a\n", spec)["g0"]
    assert lines == ("user-auth: Fast: It SHALL be fast.", "user-auth: Bare")


# -- dirt and size ---------------------------------------------------------------------------------
def test_line_ends_and_marks_make_no_difference(tmp_path: Path) -> None:
    """A change from Windows reads like one from elsewhere."""
    plain = read_change(tmp_path / "a")
    files = {
        name.removeprefix(f"{CHANGE}/"): b"\xef\xbb\xbf"
        + (tmp_path / "a" / name).read_bytes().replace(b"\n", b"\r\n")
        for name in plain.files
    }
    other = read_change(tmp_path / "b", dict(files))
    assert (other.units, other.passages, other.notices) == (
        plain.units,
        plain.passages,
        plain.notices,
    )


@pytest.mark.parametrize(
    "name", ["tasks.md", "proposal.md", "design.md", "specs/user-auth/spec.md"]
)
def test_a_link_out_of_the_repository_is_not_followed(tmp_path: Path, name: str) -> None:
    """It is an error with the file's name, and the rest is read."""
    (tmp_path / "secret").write_text("- [ ] secret\n")
    root = write_change(tmp_path / "repo")
    (root / CHANGE / name).unlink(missing_ok=True)
    (root / CHANGE / name).symlink_to(tmp_path / "secret")
    source = read_one(root)
    assert "unreadable" in codes(source.notices)
    assert "secret" not in str(source.units)


def test_a_file_that_is_no_text_is_an_error_and_the_rest_is_read(tmp_path: Path) -> None:
    """Binary data where tasks are expected."""
    source = read_change(tmp_path, {"design.md": b"\0\1"})
    assert (codes(source.notices), len(source.items)) == (["unreadable"], 2)


def test_loops_of_links_end(tmp_path: Path) -> None:
    """Folders that lead back to themselves, below specs and beside the tasks."""
    root = write_change(tmp_path)
    (root / CHANGE / "specs" / "round").symlink_to("..")
    (root / CHANGE / "loop").symlink_to("loop")
    assert len(read_one(root).items) == 2


def test_very_many_groups_are_read(tmp_path: Path) -> None:
    """Time grows with size, not with size times groups."""
    text = "".join(f"## {n}. A\n- [ ] {n}.1 Do `src/a.py` and more of it\n" for n in range(30_000))
    begun = time.process_time()
    assert len(tasks(tmp_path, text).units) == 30_000
    assert time.process_time() - begun < 200


def test_a_hundred_changes_are_read_in_a_moment(tmp_path: Path) -> None:
    """The bound is 1 s on an idle machine; here processor time counts."""
    write_changes(tmp_path, 7, 100)
    begun = time.process_time()
    found = [
        read_source(each, tmp_path)
        for each in locate(["openspec"], tmp_path, tmp_path, stdin=bytes)
    ]
    assert len(found) == 100
    assert time.process_time() - begun < 60


def test_reading_twice_gives_the_same(tmp_path: Path) -> None:
    """Nothing depends on a clock or on the order of a set."""
    for name in write_changes(tmp_path, Random(3).randint(1, 9), 10):
        assert read_one(tmp_path, name) == read_one(tmp_path, name)
