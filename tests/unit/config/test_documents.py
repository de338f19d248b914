"""Configuration files are read as plain values, or refused with file and line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.config.documents import (
    MAX_BYTES,
    ConfigFileError,
    Document,
    load_document,
    shown_name,
)
from penstock.config.problems import Mark, key_name
from penstock.errors import ConfigError, ExitCode


def load(tmp_path: Path, name: str, content: str | bytes) -> Document | None:
    """Write a file and load it."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_document(path, root=tmp_path)


def refusal(tmp_path: Path, name: str, content: str | bytes) -> ConfigFileError:
    """Write a file and return the error that loading it raises."""
    with pytest.raises(ConfigFileError) as caught:
        load(tmp_path, name, content)
    return caught.value


def test_a_missing_file_is_no_document(tmp_path: Path) -> None:
    """A file that is not there gives None: every configuration file is optional."""
    assert load_document(tmp_path / "none.yaml") is None


def test_yaml_gives_values_and_lines(tmp_path: Path) -> None:
    """Plain YAML gives plain values, and each key and item its place."""
    document = load(tmp_path, "a.yaml", "a: 1\nb:\n  - x\n  - {c: 2.5, d: ~, e: on}\n")
    assert document is not None
    assert document.value == {"a": 1, "b": ["x", {"c": 2.5, "d": None, "e": True}]}
    assert document.marks[("b",)] == (2, 1)
    assert document.marks[("b", 1, "d")] == (4, 14)


def test_yaml_dates_stay_text(tmp_path: Path) -> None:
    """What looks like a date is text, also when no calendar has it."""
    document = load(tmp_path, "a.yaml", "a: 2026-01-31\nb: 2026-99-99\n")
    assert document is not None
    assert document.value == {"a": "2026-01-31", "b": "2026-99-99"}


@pytest.mark.parametrize("content", ["", "# only a comment\n", "---\n"])
def test_an_empty_yaml_file_holds_nothing(tmp_path: Path, content: str) -> None:
    """An empty file, or one of comments, is a document without a value."""
    document = load(tmp_path, "a.yaml", content)
    assert document is not None
    assert document.value is None


YAML_ERRORS = {
    "alias": ("a: &x [1]\nb: *x\n", "line 2, column 4: aliases (*x) are not read"),
    "merge": ("a: &x {b: 1}\nc:\n  <<: *x\n", "line 3, column 7: aliases (*x) are not read"),
    "recursion": ("a: &x [*x]\n", "line 1, column 8: aliases (*x) are not read"),
    "merge key": ("a:\n  <<: {b: 1}\n", "line 2, column 3: the key '<<' means no text in YAML"),
    "twice": ("a: 1\nb: 2\na: 3\n", "line 3, column 1: a is given twice"),
    "tab": ("a:\n\t- x\n", "line 2, column 1: found character that cannot start any token"),
    "unclosed": ("a: [\n", "line 2, column 1: did not find expected node content"),
    "two documents": ("a: 1\n---\nb: 2\n", "line 2, column 1: but found another document"),
    "tag": (
        "a: !!python/object/apply:os.system [x]\n",
        "line 1, column 4: the tag !!python/object",
    ),
    "own tag": ("a: !mine x\n", "line 1, column 4: the tag !mine is not read"),
    "binary tag": ("a: !!binary aGk=\n", "line 1, column 4: the tag !!binary is not read"),
    "set": ("a: !!set {x}\n", "line 1, column 4: the tag !!set is not read"),
    "true key": ("on: 1\n", "line 1, column 1: the key 'on' means true or false in YAML"),
    "number key": ("\n1: 1\n", "line 2, column 1: the key '1' means a number in YAML"),
    "list key": ("? [a]\n: 1\n", "line 1, column 3: a key must be text"),
    "bad int": ("a: !!int x\n", "line 1, column 4: 'x' is not a number"),
    "long number": ("a: " + "9" * 5000, "line 1, column 4: '9999"),
    "control": ("a: b\nc: \x07\n", "line 2: holds a character that YAML does not allow"),
    "deep": ("[" * 100_000, "line 1, column 41: is nested too deeply"),
    "deep blocks": ("".join(" " * n + "a:\n" for n in range(60)), "is nested too deeply"),
    "infinite": ("a: .inf\n", "line 1, column 1, a: inf is out of range"),
    "nan": ("a:\n  - .nan\n", "line 2, column 5, a[0]: nan is out of range"),
    "huge": (
        "a: 99999999999999999999\n",
        "line 1, column 1, a: 99999999999999999999 is out of range",
    ),
}


@pytest.mark.parametrize("case", YAML_ERRORS)
def test_yaml_that_is_not_read_is_refused_with_its_line(tmp_path: Path, case: str) -> None:
    """Whatever is not plain YAML is a ConfigError with file and line, never a traceback."""
    content, expected = YAML_ERRORS[case]
    error = refusal(tmp_path, "a.yaml", content)
    assert str(error).startswith("a.yaml: ")
    assert expected in str(error)
    assert error.exit_code is ExitCode.USAGE


def test_comments_alone_load_no_parser(tmp_path: Path) -> None:
    """What `penstock init` writes costs a status command no YAML parser."""
    (tmp_path / "a.yaml").write_text("# db: x\n\n  # more\n")
    code = "import sys; from pathlib import Path; from penstock.config.documents import *; "
    code += "d = load_document(Path('a.yaml')); print(d.value, 'yaml' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout == "None False\n"


def test_all_problems_of_a_yaml_file_are_listed(tmp_path: Path) -> None:
    """Repeated keys, tags and wrong keys are reported together."""
    error = refusal(tmp_path, "a.yaml", "a: 1\na: 2\nb: !x 1\non: 3\n")
    assert len(error.problems) == 3
    assert str(error).startswith("a.yaml: 3 errors\n  line 2, column 1: ")


def test_tabs_get_a_hint(tmp_path: Path) -> None:
    """An indent by tabs is answered with what to do."""
    assert "spaces" in str(refusal(tmp_path, "a.yaml", "a:\n\t- x\n").hint)
    assert refusal(tmp_path, "a.yaml", "a: [\n").hint is None


JSON_ERRORS = {
    "trailing comma": ('{"a": 1,}', "line 1, column 9"),
    "unclosed comment": (
        '{\n/* "a": 1}',
        "line 2 column 1: the comment that '/*' opens is never closed",
    ),
    "twice": ('{"a": {"b": 1, "b": 2}}', "b: is given twice"),
    "nan": ('{"a": NaN}', "a: nan is out of range"),
    "infinity": ('{"a": [1, -Infinity]}', "a[1]: -inf is out of range"),
    "deep": ("[" * 100_000, "is nested too deeply"),
    "rubbish": ("hello", "line 1, column 1"),
    "empty": ("", "line 1, column 1"),
    "long number": ('{"a": ' + "9" * 5000 + "}", "digits"),
}


@pytest.mark.parametrize("case", JSON_ERRORS)
def test_json_that_is_not_read_is_refused(tmp_path: Path, case: str) -> None:
    """Whatever is not JSON with comments is a ConfigError, never a traceback."""
    content, expected = JSON_ERRORS[case]
    assert expected in str(refusal(tmp_path, "a.json", content))


def test_json_with_comments_is_read(tmp_path: Path) -> None:
    """Hand-written JSON may hold comments and a byte order mark."""
    document = load(tmp_path, "a.json", b'\xef\xbb\xbf{"a": 1 /* one */} // end')
    assert document is not None
    assert document.value == {"a": 1}


BYTES = {
    "utf-16": ("a: 1".encode("utf-16"), "line 1: is not UTF-8 text"),
    "latin-1": (b"a: 1\nb: \xe9\n", "line 2: is not UTF-8 text"),
    "nul": (b"a: 1\nb: \0", "line 2: holds a NUL byte"),
    "huge": (b"#" * (MAX_BYTES + 1), "is larger than 1024 KiB"),
}


@pytest.mark.parametrize("case", BYTES)
@pytest.mark.parametrize("name", ["a.yaml", "a.json"])
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, case: str, name: str) -> None:
    """Binary, wrongly encoded and huge files are refused before they are parsed."""
    content, expected = BYTES[case]
    assert expected in str(refusal(tmp_path, name, content))


def test_a_folder_and_a_pipe_are_no_files(tmp_path: Path) -> None:
    """A folder or a pipe in a file's place neither hangs nor breaks."""
    (tmp_path / "a.yaml").mkdir()
    os.mkfifo(tmp_path / "b.yaml")
    for name in ("a.yaml", "b.yaml"):
        with pytest.raises(ConfigError, match=f"{name}: is not a regular file"):
            load_document(tmp_path / name, root=tmp_path)


def test_a_link_to_nowhere_in_a_circle_is_refused(tmp_path: Path) -> None:
    """A symbolic link to itself cannot be read, and says so."""
    (tmp_path / "a.yaml").symlink_to("a.yaml")
    with pytest.raises(ConfigError, match=r"a\.yaml: cannot be read: Too many levels"):
        load_document(tmp_path / "a.yaml", root=tmp_path)


def test_a_path_with_nul_is_refused() -> None:
    """A path that no system can open is an error like any other."""
    with pytest.raises(ConfigError, match="cannot be read"):
        load_document(Path("a\0.yaml"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    """A file without permission is an error and not an absent one."""
    (tmp_path / "a.yaml").touch(mode=0)
    with pytest.raises(ConfigError, match="cannot be read: Permission denied"):
        load_document(tmp_path / "a.yaml", root=tmp_path)


def test_names_for_people(tmp_path: Path) -> None:
    """Key paths read like code, and files are named from the repository root."""
    assert key_name(("a", "b", 0, "c")) == "a.b[0].c"
    assert shown_name(tmp_path / "x" / "y", tmp_path) == "x/y"
    assert shown_name(Path("/etc/x"), tmp_path) == "/etc/x"
    assert shown_name(Path("/etc/x"), None) == "/etc/x"
    assert Document("f", None, {("a",): Mark(3, 5)}).place(("a",)) == "line 3, column 5, a"
