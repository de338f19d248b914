"""Whatever configuration a tool may consult changes the key of its results, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.checks.inspection.keys import KeyParts, Ledger, because
from penstock.checks.plugins.port import Plugin
from tests.support.ledgers import TOOL, files_in, parts_now, place_of, plugin, write

CONFIGS = ("lint.toml", ".lintrc", "pyproject.toml", "setup.cfg", "package.json", "lint.config.*")
PATH = "pkg/inner/a.py"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A project two folders deep, in a folder of its own."""
    root = tmp_path / "home" / "project"
    write(root, {PATH: "A = 1\n", "pkg/b.py": "B = 1\n", "words.txt": "teh\n", "notes.md": "x\n"})
    return root


def lint(**depends: Any) -> Plugin:
    """A checker of any file that consults CONFIGS, or what is given."""
    return plugin(extensions=("*",), **{"config_files": CONFIGS, **depends})


PYTHON = plugin(config_files=CONFIGS)


def reason(tree: Path, change: Callable[[], object], which: Plugin | None = None) -> str:
    """What is said to have changed for PATH by a change of the disk, "" for nothing."""
    used = which or lint()
    before = parts_now(tree, used, PATH)
    change()
    after = parts_now(tree, used, PATH)
    return "" if before == after else because(before, after)


CHANGED = "configuration changed"


# -- where it lies -----------------------------------------------------------------------------
@pytest.mark.parametrize("folder", ["pkg/inner", "pkg", "", "..", "../.."])
@pytest.mark.parametrize("name", ["lint.toml", ".lintrc", "lint.config.mjs"])
def test_a_file_made_above_or_beside_counts(tree: Path, folder: str, name: str) -> None:
    """A configuration that comes to be in any folder from the file's up, the root passed, counts."""
    assert reason(tree, lambda: write(tree / folder, {name: "x = 1\n"})) == CHANGED


@pytest.mark.parametrize("folder", ["pkg/inner", "", ".."])
def test_a_changed_and_a_removed_file_counts(tree: Path, folder: str) -> None:
    """A change of a configuration counts, and so does its end, which restores the first key."""
    first = parts_now(tree, lint(), PATH)
    path = tree / folder / "lint.toml"
    write(tree / folder, {"lint.toml": "x = 1\n"})
    assert reason(tree, lambda: path.write_text("x = 2\n")) == CHANGED
    assert reason(tree, path.unlink) == CHANGED
    assert parts_now(tree, lint(), PATH) == first


def test_where_it_lies_counts(tree: Path) -> None:
    """The same configuration in another folder is another one: paths in it mean other files."""
    write(tree, {"pkg/lint.toml": "x = 1\n"})
    move = (tree / "pkg/lint.toml").rename
    assert reason(tree, lambda: move(tree / "lint.toml")) == CHANGED


def test_a_configuration_beside_does_not_count(tree: Path) -> None:
    """Those in other folders, and other files, are not consulted."""
    files = {"other/lint.toml": "x", "pkg/inner/deeper/lint.toml": "x", "pkg/lint.txt": "x"}
    assert reason(tree, lambda: write(tree, files)) == ""


def test_a_user_s_own_file_counts(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration in the home folder counts, also where XDG_CONFIG_HOME has moved it to."""
    monkeypatch.setenv("HOME", str(tree.parent / "me"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    which = lint(user_config_files=("~/.config/lint/lint.toml", "~/.lint"))
    assert reason(tree, lambda: write(tree.parent, {"me/.lint": "x"}), which) == CHANGED
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tree.parent / "xdg"))
    moved = lint(user_config_files=("~/.config/lint/lint.toml", "~/.lint"))
    assert reason(tree, lambda: write(tree.parent, {"xdg/lint/lint.toml": "x"}), moved) == CHANGED


def test_a_folder_of_rules_counts(tree: Path) -> None:
    """Where a folder is consulted, every file in it counts."""
    which = lint(config_files=(".rules",), tool={"needs_config": (".rules", "a.toml#tool.lint")})
    assert reason(tree, lambda: write(tree, {".rules/deep/one.yml": "a"}), which) == CHANGED
    assert reason(tree, lambda: write(tree, {".rules/deep/one.yml": "b"}), which) == CHANGED
    assert reason(tree, lambda: write(tree, {".rules/two.yml": "c"}), which) == CHANGED
    assert reason(tree, lambda: write(tree, {"a.toml": "[tool.lint]\n"}), which) == CHANGED


def test_deep_names_and_patterns_count(tree: Path) -> None:
    """A name with folders counts in every folder, a pattern with folders from the top."""
    which = lint(config_files=(".config/lint.yml", "rules/**/*.yml"))
    assert reason(tree, lambda: write(tree, {"pkg/.config/lint.yml": "a"}), which) == CHANGED
    assert reason(tree, lambda: write(tree.parent, {".config/lint.yml": "a"}), which) == CHANGED
    assert reason(tree, lambda: write(tree, {"rules/a/b.yml": "a"}), which) == CHANGED
    assert reason(tree, lambda: write(tree, {"pkg/rules/a.yml": "a"}), which) == ""


def test_an_unreadable_configuration_is_not_an_absent_one(tree: Path) -> None:
    """A configuration that cannot be read (a link to nowhere) counts as being there."""
    assert reason(tree, lambda: (tree / "lint.toml").symlink_to("nowhere")) == CHANGED


# -- what it names -----------------------------------------------------------------------------
NAMING = {
    "toml": ("lint.toml", 'ignore-words = "words.txt"\n'),
    "ini": (".lintrc", "[lint]\nignore-words = words.txt\n"),
    "yaml": (".lintrc", "ignore-words: words.txt\n"),
    "a list": ("lint.toml", 'lists = [\n  "words.txt",\n]\n'),
    "its table of pyproject": ("pyproject.toml", '[tool.lint]\nwords = "./words.txt"\n'),
    "an inner table": ("pyproject.toml", '[tool.lint.more]\nwords = "words.txt"\n'),
    "its section of setup.cfg": ("setup.cfg", "[tool:lint]\nwords=words.txt\n"),
    "its member of package.json": ("package.json", '{"lintConfig": {"words": "words.txt"}}'),
    "a script": ("lint.config.js", 'import w from "./words.txt"\n'),
}


@pytest.mark.parametrize(("name", "text"), NAMING.values(), ids=NAMING)
def test_a_word_list_counts(tree: Path, name: str, text: str) -> None:
    """A file that a configuration names counts, whatever the configuration's format."""
    write(tree, {name: text})
    assert reason(tree, lambda: write(tree, {"words.txt": "hte\n"})) == CHANGED
    assert reason(tree, (tree / "words.txt").unlink) == CHANGED


STRANGE = {
    "another tool's table": ("pyproject.toml", '[tool.other]\nwords = "words.txt"\n'),
    "another member": ("package.json", '{"other": "words.txt"}'),
    "no JSON": ("package.json", "words.txt"),
    "what is left out": ("lint.toml", 'exclude = [\n  "words.txt",\n]\nskip = "words.txt"\n'),
    "a pattern's table": ("pyproject.toml", '[tool.lint.per-file-ignores]\n"words.txt" = ["E1"]\n'),
    "an empty file": ("pyproject.toml", ""),
    "an empty section file": ("setup.cfg", "\n"),
    "nothing": ("lint.toml", 'words = "other.txt"\n'),
}


@pytest.mark.parametrize(("name", "text"), STRANGE.values(), ids=STRANGE)
def test_files_that_are_not_consulted_do_not_count(tree: Path, name: str, text: str) -> None:
    """What others' tables name, and what is only left out of checks, is not consulted."""
    write(tree, {name: text})
    assert reason(tree, lambda: write(tree, {"words.txt": "hte\n"})) == ""


def test_a_chain_of_extended_configurations_counts(tree: Path) -> None:
    """What an extended configuration extends counts, from its own folder, to the fourth step."""
    write(tree, {"lint.toml": 'extend = "../shared/base.toml"\n'})
    write(tree.parent, {"shared/base.toml": 'extend = "deep/core.toml"\n'})
    write(tree.parent, {"shared/deep/core.toml": 'words = "list.txt"\n'})
    made = {"shared/deep/list.txt": "one\n"}
    assert reason(tree, lambda: write(tree.parent, made)) == CHANGED
    made = {"shared/deep/list.txt": "two\n"}
    assert reason(tree, lambda: write(tree.parent, made)) == CHANGED
    made = {"shared/base.toml": "extend = []\n"}
    assert reason(tree, lambda: write(tree.parent, made)) == CHANGED


def test_configurations_that_extend_each_other_end(tree: Path) -> None:
    """A circle of configurations is followed once, and a change within it counts."""
    write(tree, {"lint.toml": 'extend = "a.toml"\n', "a.toml": 'extend = "lint.toml"\n'})
    assert reason(tree, lambda: write(tree, {"a.toml": 'extend = "./lint.toml"\n'})) == CHANGED


@pytest.mark.parametrize(
    ("config", "made"),
    [
        ("plugins = ['tools.extra']", "tools/extra.py"),
        ("load-plugins = extra", "extra.py"),
        ("module.exports = require('./rules/own')", "rules/own.cjs"),
        ("plugin = tools/extra.py:make", "tools/extra.py"),
        ("words = my own words.txt", "my own words.txt"),
    ],
)
def test_a_plugin_of_the_tool_counts(tree: Path, config: str, made: str) -> None:
    """A module or script that a configuration names counts, with its ending left out too."""
    write(tree, {".lintrc": f"{config}\n"})
    assert reason(tree, lambda: write(tree, {made: "1\n"})) == CHANGED
    assert reason(tree, lambda: write(tree, {made: "2\n"})) == CHANGED


def test_an_absolute_and_a_home_path_counts(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named files may lie anywhere."""
    monkeypatch.setenv("HOME", str(tree.parent))
    write(tree, {"lint.toml": f'a = "{tree.parent}/abs.txt"\nb = "~/mine.txt"\n'})
    assert reason(tree, lambda: write(tree.parent, {"abs.txt": "x"})) == CHANGED
    assert reason(tree, lambda: write(tree.parent, {"mine.txt": "x"})) == CHANGED


def test_a_named_folder_outside_of_the_tree_counts(tree: Path) -> None:
    """Stubs or rules that lie elsewhere count with all their files; what holds the tree does not."""
    write(tree, {"lint.toml": 'path = "../stubs"\nhome = ".."\nroot = "/"\n'})
    assert reason(tree, lambda: write(tree.parent, {"stubs/a.pyi": "x: int"})) == CHANGED
    assert reason(tree, lambda: write(tree.parent, {"stubs/deep/b.pyi": "y: int"})) == CHANGED
    assert reason(tree, lambda: write(tree.parent, {"stubs/a.pyi": "x: bytes"})) == CHANGED
    assert reason(tree, lambda: write(tree.parent, {"other/a.pyi": "x: bytes"})) == ""


def test_a_very_deep_folder_is_no_harm(tree: Path) -> None:
    """A file a thousand folders deep has parts, and its configuration counts."""
    deep = "/".join("d" * 1_200)
    ledger = Ledger(place_of(tree), listing=(f"{deep}/a.txt",))
    before = ledger.parts(lint(), TOOL, f"{deep}/a.txt")
    write(tree, {"d/d/d/lint.toml": "x = 1\n"})
    assert because(before, ledger.again().parts(lint(), TOOL, f"{deep}/a.txt")) == CHANGED


def test_rubbish_in_a_configuration_is_no_harm(tree: Path) -> None:
    """Zero bytes, no text, an endless line and very many words are read without an error."""
    rubbish = b"\0\xff\xfe" * 100 + b"a\0b/c " * 1000 + b"x" * 300_000 + b"\n'" + b"'w' " * 50_000
    (tree / "lint.toml").write_bytes(rubbish)
    assert parts_now(tree, lint(), PATH) == parts_now(tree, lint(), PATH)


def test_a_pattern_file_names_nothing(tree: Path) -> None:
    """What an ignore file lists is not consulted."""
    write(tree, {".lintignore": "words.txt\n"})
    which = lint(config_files=(".lintignore",))
    assert reason(tree, lambda: write(tree, {"words.txt": "other\n"}), which) == ""
    assert reason(tree, lambda: write(tree, {".lintignore": "other\n"}), which) == CHANGED


# -- names of modules --------------------------------------------------------------------------
def test_a_new_module_at_the_top_counts_for_python(tree: Path) -> None:
    """Which modules are the project's own decides how imports are sorted, so a name counts."""
    said = "other files of the project changed"
    assert reason(tree, lambda: write(tree, {"requests.py": ""}), PYTHON) == said
    assert reason(tree, lambda: write(tree, {"src/numpy/__init__.py": ""}), PYTHON) == said
    assert reason(tree, lambda: write(tree, {"pkg/inner/__init__.py": ""}), PYTHON) == said
    assert (
        reason(tree, lambda: write(tree, {"requests.py": "x = 1\n", "data.txt": ""}), PYTHON) == ""
    )
    assert reason(tree, lambda: write(tree, {"pkg/other.py": ""}), PYTHON) == ""


def test_a_named_source_folder_counts_for_python(tree: Path) -> None:
    """A folder that the configuration names is one that modules are looked for in."""
    write(tree, {"lint.toml": 'src = ["lib"]\n', "lib/x.txt": ""})
    said = "other files of the project changed"
    assert reason(tree, lambda: write(tree, {"lib/requests.py": ""}), PYTHON) == said


def test_module_names_do_not_count_for_others(tree: Path) -> None:
    """For a tool that takes no Python, names of modules are nothing."""
    assert reason(tree, lambda: write(tree, {"requests.py": ""})) == ""


# -- another place -----------------------------------------------------------------------------
FILES = {PATH: "A = 1\n", "pkg/b.py": "B = 1\n", "words.txt": "teh\n", "notes.md": "x\n"}
CONFIG = {"lint.toml": 'words = "words.txt"\n', "pyproject.toml": "[tool.lint]\n"}


def copied(tree: Path, place: Path, which: Plugin) -> KeyParts:
    """The parts of PATH in a copy of the tree at another place that belongs to the same repository."""
    write(place, {**FILES, **CONFIG})
    ledger = Ledger(place_of(place, tree), listing=files_in(place))
    return ledger.parts(which, TOOL, PATH)


@pytest.mark.parametrize("where", ["../elsewhere/copy", ".state/staged/x", ".worktrees/ws-a"])
@pytest.mark.parametrize("which", [lint(), PYTHON], ids=["any", "python"])
def test_a_copy_elsewhere_has_the_same_keys(tree: Path, where: str, which: Plugin) -> None:
    """A tree with the same files shares its results, be it staged content or a worktree."""
    write(tree, CONFIG)
    before = parts_now(tree, which, PATH)
    assert copied(tree, tree / where, which) == before


@pytest.mark.parametrize(
    "change", [{"lint.toml": "x = 1\n"}, {"words.txt": "x\n"}, {".lintrc": "x = 1\n"}]
)
def test_what_differs_in_the_repository_above_counts(tree: Path, change: dict[str, str]) -> None:
    """A tool in a tree within the repository may find what only the repository has."""
    write(tree, CONFIG)
    before = copied(tree, tree / ".state/staged/x", lint())
    write(tree, change)
    after = copied(tree, tree / ".state/staged/x", lint())
    assert because(before, after) == CHANGED
