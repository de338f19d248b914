"""The user's table of categories, and what is wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.config.documents import ConfigFileError
from penstock.planning.specs.api import TBD
from penstock.planning.specs.rules import DEFAULT, Rules, load_rules


def load(folder: Path, text: str, name: str = "spec_mapping.yaml") -> Rules:
    """Load rules from a text."""
    (folder / "config").mkdir(exist_ok=True)
    (folder / "config" / name).write_text(text, encoding="utf-8")
    return load_rules(folder)


@pytest.mark.parametrize("text", ["", "# nothing\n", "packaged: true\n", "categories: {}\n"])
def test_a_file_that_says_nothing_changes_nothing(tmp_path: Path, text: str) -> None:
    """Nor does none."""
    assert load_rules(tmp_path) == DEFAULT
    assert load(tmp_path, text) == DEFAULT


def test_rows_are_replaced_and_added(tmp_path: Path) -> None:
    """The others stay."""
    rules = load(
        tmp_path,
        "categories:\n  DB: {module: src/storage.py}\n  AUTH: {module: 'src/{name}/', phase: PH-09}\n",
        "spec_mapping.yml",
    )
    assert rules.target("DB").module == "src/storage.py"
    assert rules.target("AUTH").module == "src/auth/"
    assert rules.target("AUTH").phase == "PH-09"
    assert rules.target("STATE") == DEFAULT.target("STATE")


def test_the_packaged_table_can_be_left_out(tmp_path: Path) -> None:
    """What nothing then names is to be determined, unless `other` says where it is."""
    rules = load(tmp_path, "packaged: false\ncategories: {A: {module: a.py}}\n")
    assert (rules.target("A").module, rules.target("DB").module) == ("a.py", TBD)
    rules = load(tmp_path, "packaged: false\nother: {module: src/}\n")
    assert rules.target("DB").module == "src/"


def test_the_longest_beginning_counts(tmp_path: Path) -> None:
    """And a whole name before any."""
    rows = "A*: {module: a/}", "AB*: {module: ab/}", "ABC: {module: abc/}"
    rules = load(tmp_path, f"categories: {{{', '.join(rows)}}}\n")
    modules = [rules.target(category).module for category in ("AX", "ABX", "ABC", "X")]
    assert modules == ["a/", "ab/", "abc/", "src/pipeline/"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("categories: {db: {module: a.py}}\n", "column 14, categories.db: is no category"),
        ("categories: {A1: {module: a.py}}\n", "capital letters"),
        ("categories: {DB: {}}\n", "module is missing"),
        ("categories: {DB: {module: ''}}\n", "categories.DB.module"),
        ("categories: {DB: {module: a.py, phse: PH-01}}\n", "did you mean phase?"),
        ("categories: [DB]\n", "expected a mapping"),
        ("rows: []\n", "unknown key"),
        ("packaged: maybe\n", "expected true or false"),
        (
            "categories: {DB: {module: /etc/passwd}}\n",
            "line 1, column 19, categories.DB.module: '/etc/passwd' is not a path within the repository",
        ),
        ("categories: {DB: {module: ~/x}}\n", "not a path within the repository"),
        ("other: {module: a/../../b}\n", "other.module"),
        ("categories: {DB: {module: a.py}, DB: {module: b.py}}\n", "twice"),
        ("a: [\n", "line"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, said: str) -> None:
    """With the file and the key."""
    with pytest.raises(ConfigFileError) as caught:
        load(tmp_path, text)
    assert said in str(caught.value)
    assert str(caught.value).startswith("config/spec_mapping.yaml")


def test_two_files_are_one_too_many(tmp_path: Path) -> None:
    """Which one counts would be a guess."""
    load(tmp_path, "")
    with pytest.raises(ConfigFileError, match="keep one"):
        load(tmp_path, "", "spec_mapping.yml")
