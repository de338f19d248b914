"""Which words of a line are paths, and which only look like some."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.planning.scoping.mentions import MAX_BRACES, MAX_LINE, Quoting, cleaned, mentions


def texts(line: str) -> list[str]:
    """The paths that a line mentions."""
    return [mention.text for mention in mentions(line)]


@pytest.mark.parametrize(
    ("line", "paths"),
    [
        ("Update src/a.py and src/b.ts", ["src/a.py", "src/b.ts"]),
        ("Update `src/a.py`, then `lib/`", ["src/a.py", "lib/"]),
        ("Fix (src/a.py), [src/b.py]; \"src/c.py\" and 'src/d.py'.", ["src/a.py", "src/b.py", "src/c.py", "src/d.py"]),
        ("See [the module](src/a.py) and <src/b.py>", ["src/a.py", "src/b.py"]),
        ("**src/a.py**: *src/b.py* _src/c.py_ ~~src/d.py~~", ["src/a.py", "src/b.py", "src/c.py", "src/d.py"]),
        ("in src/a.py:42 or src/b.py:10-20 or src/c.ts#L5-L9", ["src/a.py", "src/b.py", "src/c.ts"]),
        ("run tests/test_a.py::test_x", ["tests/test_a.py"]),
        ("from ./src/a.py to @/components/Button.tsx", ["src/a.py", "components/Button.tsx"]),
        (r"open src\win\a.cs", ["src/win/a.cs"]),
        ("Files:src/a.py and --config=conf/app.toml", ["src/a.py", "conf/app.toml"]),
        ("src/a.py->src/b.py and src/c.py→src/d.py", ["src/a.py", "src/b.py", "src/c.py", "src/d.py"]),
        ("Change Makefile, Dockerfile and .gitignore", ["Makefile", "Dockerfile", ".gitignore"]),
        ("app/(auth)/login/page.tsx, app/[slug]/page.tsx", ["app/(auth)/login/page.tsx", "app/[slug]/page.tsx"]),
        ("all of src/**/*.py and *.md", ["src/**/*.py", "*.md"]),
        ("**/*.sql", ["**/*.sql"]),
        ("src/__init__.py and __init__.py", ["src/__init__.py", "__init__.py"]),
        ("package.json, README.md", ["package.json", "README.md"]),
    ],
)  # fmt: skip
def test_what_a_path_looks_like(line: str, paths: list[str]) -> None:
    """Words with a slash or a known extension are paths, whatever quotes or follows them."""
    assert texts(line) == paths


@pytest.mark.parametrize(
    "line",
    [
        "See https://example.com/src/a.py and http://x.y/z.js",
        "mail a@b.org, clone git@host.org:me/it.git, look at github.com/me/it/a.py",
        "version 1.2.3, v2.0/1.0, 10/12, 2024/01/02, ~1.2",
        "Node.js, Next.js, Vue.js, socket.io, e.g. this, i.e. that, etc.",
        "The end of a sentence. And another one... or not",
        "a.b.c and user.name and x.y()",
        "// a comment, /* another */ - -- ---",
        "`` ` `` and ``",
    ],
)
def test_what_only_looks_like_a_path(line: str) -> None:
    """Addresses, versions, dates, products and the dots of sentences are no paths."""
    assert [text for text in texts(line) if not text.startswith("*")] == []


@pytest.mark.parametrize(
    ("line", "paths"),
    [
        ("修改src/a.py文件", ["src/a.py"]),
        ("更新 `src/用户.py`\uff0c然后 文档/设计.md。", ["src/用户.py", "文档/设计.md"]),
        ("src/a.tsを修正し、src/b.tsも", ["src/a.ts", "src/b.ts"]),
        ("\uff08src/a.py\uff09「src/b.py」【src/c.py】", ["src/a.py", "src/b.py", "src/c.py"]),
    ],
)
def test_paths_amid_chinese_and_japanese(line: str, paths: list[str]) -> None:
    """A path ends where another script begins, unless its name is written in it."""
    assert texts(line) == paths


def test_braces_are_spelt_out() -> None:
    """A path with braces stands for as many paths, up to a bound."""
    assert texts("src/{a,b}.{ts,tsx}") == ["src/a.ts", "src/a.tsx", "src/b.ts", "src/b.tsx"]
    many = "src/{" + ",".join(map(str, range(MAX_BRACES + 1))) + "}.py"
    assert texts(many) == [many]


def test_how_a_path_is_quoted() -> None:
    """A code span of one word is a path, one of several words a command."""
    found = {m.text: m.quoting for m in mentions("src/a.py `src/b.py` `pytest -k x src/c.py`")}
    assert found == {
        "src/a.py": Quoting.PLAIN,
        "src/b.py": Quoting.CODE,
        "src/c.py": Quoting.COMMAND,
    }


def test_where_a_path_stands() -> None:
    """The place of a mention is that of its word in the line."""
    line = "Update `src/a.py` and (src/b.py)"
    assert [line[m.start : m.end] for m in mentions(line)] == ["src/a.py", "src/b.py"]


def test_a_product_in_backticks_is_a_file() -> None:
    """What people write in backticks is meant as it is written."""
    assert texts("the file `Main.js`") == ["Main.js"]
    assert texts("written in Main.js") == []


def test_very_long_lines_are_cut() -> None:
    """Of a line without end only the beginning is looked at."""
    assert texts("x" * MAX_LINE + " src/a.py") == []
    assert texts("a/" * 2000) == []


@settings(deadline=None)
@given(st.text())
def test_any_text_is_borne(line: str) -> None:
    """No text at all raises, and every mention lies within its line."""
    for mention in mentions(line):
        assert 0 <= mention.start <= mention.end <= len(line)
        assert mention.text


@settings(deadline=None)
@given(st.text(alphabet="ab/.*[]{}()`'\"_-:#,\\ ~@"))
def test_cleaning_ends(word: str) -> None:
    """Cleaning a cleaned word does not fail, whatever brackets and dots it is made of."""
    assert isinstance(cleaned(cleaned(word)), str)
