"""What the words around a path say of it, in several languages."""

from __future__ import annotations

import pytest

from penstock.planning.scoping.cues import Cue, continues, cue


def said(line: str, path: str = "src/a.py") -> Cue:
    """What a line says of the path in it."""
    start = line.index(path)
    return cue(line, start, start + len(path))


@pytest.mark.parametrize(
    "line",
    [
        "Create src/a.py",
        "Create `src/a.py` for the parser",
        "create the file src/a.py",
        "Creating a new module **src/a.py**",
        "Add new file src/a.py",
        "Add a new test file: src/a.py",
        "A new component in src/a.py",
        "src/a.py (new)",
        "`src/a.py` (new file)",
        "src/a.py [NEW]",
        "- `src/a.py` - new",
        "Scaffold src/a.py",
        "Generate config file `src/a.py`",
        "新建 src/a.py",
        "创建文件 `src/a.py`",
        "新增src/a.py",
        "`src/a.py`\uff08新建\uff09",
        "src/a.py を作成する",
        "`src/a.py`を新規作成",
        "src/a.py というファイルを作成",
        "新規ファイル src/a.py",
        "新建 `src/a.py`\uff08参考 src/b.py\uff09",
        "src/a.py (new file, see src/b.py)",
    ],
)
def test_a_path_is_called_new(line: str) -> None:
    """The words next to the path say that there shall be such a file."""
    assert said(line) is Cue.NEW


@pytest.mark.parametrize(
    "line",
    [
        "Create the User model in src/a.py",
        "创建用户模型\uff0c位于 src/a.py",
        "New parser; create it within src/a.py",
    ],
)
def test_something_is_made_at_a_path(line: str) -> None:
    """What is created is not the path itself, but it comes there."""
    assert said(line) is Cue.MAKING


@pytest.mark.parametrize(
    "line",
    [
        "Update src/a.py",
        "Add validation to src/a.py",
        "Create a parser and update src/a.py",
        "Implement the parser in src/a.py",
        "Write tests in src/a.py",
        "A newline in src/a.py",
        "Renew src/a.py",
        "src/a.py (add tests)",
        "src/a.py (create a handler)",
        "src/a.py (new endpoint)",
        "Move src/a.py to src/b.py",
        "Do not create src/a.py",
        "不要创建 src/a.py",
        "Create the model and register it in src/a.py",
        "Fix the new parser in src/a.py",
        "Create x. Then fix src/a.py",
        "src/a.py に追加",
        "修改 src/a.py",
        "更新src/a.py",
        "Delete src/a.py",
        "src/a.py: newer versions fail",
    ],
)
def test_a_path_is_not_called_new(line: str) -> None:
    """To add to a file, to implement or test something in it is not to create it."""
    assert said(line) is Cue.NONE


@pytest.mark.parametrize(
    "line",
    [
        "as described in src/a.py",
        "Do it (see src/a.py)",
        "see also `src/a.py`",
        "Create it like in src/a.py",
        "following the pattern of src/a.py",
        "refer to the file src/a.py",
        "similar to src/a.py",
        "Do it per src/a.py",
        "Read from src/a.py",
        "参考 src/a.py",
        "根据`src/a.py`实现",
        "src/a.py を参照",
        "src/a.py (read-only)",
    ],
)
def test_a_path_is_only_read(line: str) -> None:
    """A file that one is sent to is no file to change."""
    assert said(line) is Cue.READ


@pytest.mark.parametrize("between", [", ", " and ", "`, `", ", and `", "、", " 和 ", " & ", "と"])
def test_a_list_goes_on(between: str) -> None:
    """Of the paths of one list the same is said."""
    assert continues(between)


@pytest.mark.parametrize("between", [" for ", " uses ", ". ", ", update ", " " * 30])
def test_a_list_ends(between: str) -> None:
    """Other words between two paths end a list."""
    assert not continues(between)
