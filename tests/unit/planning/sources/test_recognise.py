"""Plans are found by shape and name; what is ambiguous or unknown lists what there is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.errors import NotFoundError, UsageError
from penstock.planning.sources.recognise import Located, available, locate
from tests.support.plan_texts import write_tree

TASKS = "- [ ] T001 a\n"
EVERYTHING = {
    "openspec/changes/add-login/proposal.md": "# P\n",
    "openspec/changes/empty/.openspec.yaml": "schema: spec-driven\n",
    "openspec/changes/archive/2025-01-02-old-one/tasks.md": TASKS,
    "openspec/changes/IMPLEMENTATION_ORDER.md": "first add-login\n",
    "openspec/specs/user-auth/spec.md": "# S\n",
    ".claude/epics/shop/epic.md": "---\nname: shop\n---\n",
    ".claude/epics/shop/001.md": "---\nname: a\n---\n",
    ".claude/epics/archived/gone/epic.md": "---\nname: gone\n---\n",
    "specs/001-search/tasks.md": TASKS,
    "specs/001-search/spec.md": "# S\n",
    "specs/002-empty/spec.md": "# S\n",
    ".taskmaster/tasks/tasks.json": '{"tasks": []}',
    "docs/plan.md": "- [ ] a\n",
    "TODO.md": "- [ ] a\n",
    "src/app.py": "pass\n",
    "src/data.bin": "x",
}
CHANGES = ["openspec/changes/add-login", "openspec/changes/empty"]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with plans of all dialects."""
    return write_tree(tmp_path / "repo", EVERYTHING)


def find(
    root: Path, *words: str, start: Path | None = None, tag: str | None = None
) -> list[Located]:
    """What words mean, seen from a folder."""
    return list(locate(words, start or root, root, tag=tag, stdin=lambda: b"- [ ] in"))


def shapes(found: list[Located]) -> list[tuple[str, str]]:
    """Dialect and name of what was found."""
    return [(each.dialect.value, each.name) for each in found]


@pytest.mark.parametrize(
    ("word", "dialect", "name"),
    [
        ("openspec/changes/add-login", "openspec", "openspec/changes/add-login"),
        ("openspec/changes/add-login/proposal.md", "openspec", "openspec/changes/add-login"),
        ("add-login", "openspec", "openspec/changes/add-login"),
        ("2025-01-02-old-one", "openspec", "openspec/changes/archive/2025-01-02-old-one"),
        ("old-one", "openspec", "openspec/changes/archive/2025-01-02-old-one"),
        (".claude/epics/shop", "ccpm", ".claude/epics/shop"),
        (".claude/epics/shop/epic.md", "ccpm", ".claude/epics/shop"),
        (".claude/epics", "ccpm", ".claude/epics/shop"),
        (".claude", "ccpm", ".claude/epics/shop"),
        ("shop", "ccpm", ".claude/epics/shop"),
        ("epic/shop", "ccpm", ".claude/epics/shop"),
        ("gone", "ccpm", ".claude/epics/archived/gone"),
        ("specs/001-search", "spec-kit", "specs/001-search"),
        ("specs/001-search/tasks.md", "spec-kit", "specs/001-search"),
        ("specs", "spec-kit", "specs/001-search"),
        ("001-search", "spec-kit", "specs/001-search"),
        ("001", "spec-kit", "specs/001-search"),
        ("1", "spec-kit", "specs/001-search"),
        ("search", "spec-kit", "specs/001-search"),
        (".taskmaster", "task-master", ".taskmaster/tasks/tasks.json"),
        (".taskmaster/tasks", "task-master", ".taskmaster/tasks/tasks.json"),
        (".taskmaster/tasks/tasks.json", "task-master", ".taskmaster/tasks/tasks.json"),
        ("tag/next", "task-master", ".taskmaster/tasks/tasks.json"),
        ("docs/plan.md", "checklist", "docs/plan.md"),
        ("./docs/../docs/plan.md", "checklist", "docs/plan.md"),
        ("openspec/changes/IMPLEMENTATION_ORDER.md", "checklist", "openspec/changes/IMPLEMENTATION_ORDER.md"),
    ],
)  # fmt: skip
def test_a_word_means_one_plan(repo: Path, word: str, dialect: str, name: str) -> None:
    """A path or a name, of any dialect."""
    assert shapes(find(repo, word)) == [(dialect, name)]


@pytest.mark.parametrize("word", ["openspec", "openspec/changes", "openspec/changes/"])
def test_the_folder_of_changes_means_all_that_are_not_archived(repo: Path, word: str) -> None:
    """As the openspec program lists them."""
    assert [each.name for each in find(repo, word)] == CHANGES


def test_the_archive_can_be_named(repo: Path) -> None:
    """All that is in it."""
    (found,) = find(repo, "openspec/changes/archive")
    assert found.path.name == "2025-01-02-old-one"


def test_standard_input_is_read_once_it_is_named(repo: Path) -> None:
    """`-` is a checklist of these bytes."""
    (found,) = find(repo, "-")
    assert (found.dialect.value, found.name, found.raw) == ("checklist", "-", b"- [ ] in")


def test_several_words_give_several_plans_each_once(repo: Path) -> None:
    """In their order; the same plan by two names is one."""
    found = find(repo, "docs/plan.md", "add-login", "openspec", "1")
    assert [each.name for each in found] == ["docs/plan.md", *CHANGES, "specs/001-search"]


def test_a_tag_is_for_task_master(repo: Path) -> None:
    """It goes to the tasks.json, and to nothing else; `tag/NAME` names one too."""
    found = find(repo, ".taskmaster", "add-login", tag="next")
    assert [each.tag for each in found] == ["next", None]
    assert find(repo, "tag/other")[0].tag == "other"
    with pytest.raises(UsageError, match="next"):
        find(repo, "add-login", tag="next")


def test_words_are_looked_up_from_where_one_stands(repo: Path) -> None:
    """A path from the folder, else from the top; a name in the folders above."""
    assert shapes(find(repo, "plan.md", start=repo / "docs")) == [("checklist", "docs/plan.md")]
    assert shapes(find(repo, "docs/plan.md", start=repo / "src"))[0][1] == "docs/plan.md"
    assert find(repo, "add-login", start=repo / "src")[0].name == CHANGES[0]


def test_a_part_of_a_repository_may_have_plans_of_its_own(repo: Path) -> None:
    """Seen from within it, its change is found by its id."""
    write_tree(repo / "web", {"openspec/changes/new-look/tasks.md": TASKS})
    (found,) = find(repo, "new-look", start=repo / "web" / "openspec")
    assert found.name == "web/openspec/changes/new-look"


def test_a_file_outside_of_the_repository_is_found(repo: Path) -> None:
    """Its name leads there, with nothing of this machine in it."""
    (repo.parent / "mine.md").write_text("- [ ] a\n")
    assert shapes(find(repo, "../mine.md")) == [("checklist", "../mine.md")]
    assert shapes(find(repo, str(repo.parent / "mine.md"))) == [("checklist", "../mine.md")]


def test_a_folder_that_is_no_plan_does_not_hide_a_name(repo: Path) -> None:
    """`search` is a folder of code and the slug of a feature: the feature is meant."""
    write_tree(repo, {"search/a.py": "pass\n"})
    assert shapes(find(repo, "search")) == [("spec-kit", "specs/001-search")]


# -- faults ----------------------------------------------------------------------------------------
def test_an_unknown_name_lists_what_there_is(repo: Path) -> None:
    """And what was perhaps meant."""
    with pytest.raises(NotFoundError) as caught:
        find(repo, "add-logn")
    hint = str(caught.value.hint)
    assert "did you mean add-login?" in hint
    assert all(name in hint for name in ("specs/001-search", ".claude/epics/shop", "TODO.md"))


def test_an_ambiguous_name_lists_what_it_may_mean(repo: Path) -> None:
    """A change and an epic of the same name: the path decides."""
    write_tree(repo, {"openspec/changes/shop/tasks.md": TASKS})
    with pytest.raises(UsageError, match=r"openspec/changes/shop .* \.claude/epics/shop"):
        find(repo, "shop")


@pytest.mark.parametrize("word", ["src", "src/app.py", "src/data.bin", "."])
def test_what_is_no_plan_says_so(repo: Path, word: str) -> None:
    """Code, data, and the repository as a whole."""
    with pytest.raises(UsageError, match="holds no plan"):
        find(repo, word)


@pytest.mark.parametrize("word", ["", "  ", "a\0b"])
def test_an_empty_word_is_refused(repo: Path, word: str) -> None:
    """Nothing is meant by nothing."""
    with pytest.raises(UsageError, match="without a name"):
        find(repo, word)


def test_a_pipe_is_refused_and_not_waited_for(repo: Path) -> None:
    """What is neither file nor directory cannot be a plan."""
    os.mkfifo(repo / "pipe")
    with pytest.raises(UsageError, match="no regular file"):
        find(repo, "pipe")


@pytest.mark.parametrize("name", ["\u00b2-a", "x", "\u0663-b"])
def test_features_with_odd_names_are_found(repo: Path, name: str) -> None:
    """Digits that are no number, or none at all."""
    write_tree(repo, {f"specs/{name}/tasks.md": TASKS})
    assert find(repo, name)[0].name == f"specs/{name}"


def test_a_link_to_itself_is_refused(repo: Path) -> None:
    """A loop of links ends in an answer."""
    (repo / "loop").symlink_to("loop")
    with pytest.raises(UsageError):
        find(repo, "loop")


def test_a_repository_without_plans_says_what_a_plan_is(tmp_path: Path) -> None:
    """The hint names the kinds of plans."""
    with pytest.raises(NotFoundError) as caught:
        find(tmp_path, "nothing")
    assert "OpenSpec" in str(caught.value.hint)


def test_a_long_list_is_cut(tmp_path: Path) -> None:
    """With the number of those that are not shown."""
    write_tree(tmp_path, {f"openspec/changes/c{n:02}/tasks.md": TASKS for n in range(30)})
    with pytest.raises(NotFoundError) as caught:
        find(tmp_path, "zzz")
    assert "and 10 more" in str(caught.value.hint)


# -- what there is ---------------------------------------------------------------------------------
def test_what_a_repository_holds_is_listed(repo: Path) -> None:
    """Dialect by dialect, nothing archived, nothing without tasks."""
    assert [each.name for each in available(repo)] == [
        *CHANGES,
        ".claude/epics/shop",
        "specs/001-search",
        ".taskmaster/tasks/tasks.json",
        "TODO.md",
    ]


def test_an_unreadable_folder_is_taken_for_empty(tmp_path: Path) -> None:
    """Listing goes on with the rest."""
    (tmp_path / "openspec").write_text("a file where a folder is expected")
    (tmp_path / ".claude").symlink_to(".claude")
    assert available(tmp_path) == ()


def test_a_linked_change_is_not_listed(repo: Path) -> None:
    """The openspec program does not list it either."""
    (repo / "openspec/changes/linked").symlink_to("add-login")
    assert [each.name for each in find(repo, "openspec")] == CHANGES
