"""Acceptance entries: commands by their first word, prose otherwise, never a shell."""

from __future__ import annotations

import pytest

from penstock.checks.commands import RUNNERS, Kind, read_entry

EXECUTABLES = frozenset({"pwsh", "gitleaks"})


@pytest.mark.parametrize(
    ("text", "argv"),
    [
        ("pytest -q", ("pytest", "-q")),
        ("$ pytest -q", ("pytest", "-q")),
        ("  $ make test  ", ("make", "test")),
        ("gitleaks dir .", ("gitleaks", "dir", ".")),
        ("python -c 'print(1 > 0)'", ("python", "-c", "print(1 > 0)")),
        ('python -c "a | b"', ("python", "-c", "a | b")),
        ("pytest -k 'a*'", ("pytest", "-k", "a*")),
        ("pytest t.py::test_a[1-2]", ("pytest", "t.py::test_a[1-2]")),
        ("pytest t.py::test_a[x|y]", ("pytest", "t.py::test_a[x|y]")),
        (r"pytest a\ b.py", ("pytest", "a b.py")),
        ("go test ./...", ("go", "test", "./...")),
        ("make", ("make",)),
        ("$ make sure", ("make", "sure")),
        ("python -c 'print(\"$HOME\")'", ("python", "-c", 'print("$HOME")')),
    ],
)
def test_commands_are_split_like_a_shell_would(text: str, argv: tuple[str, ...]) -> None:
    """A known first word makes a command; quotes and escapes hold words together."""
    entry = read_entry(text, EXECUTABLES)
    assert (entry.kind, entry.argv, entry.why) == (Kind.COMMAND, argv, "")


@pytest.mark.parametrize(
    "text",
    [
        "The page shows a list.",
        "",
        "   ",
        "pytestish works",
        "Make sure it runs",
        "make sure it runs",
    ],
)
def test_prose_is_prose(text: str) -> None:
    """Any other first word makes prose, and so does the phrase `make sure`."""
    entry = read_entry(text, EXECUTABLES)
    assert (entry.kind, entry.why) == (Kind.PROSE, "")


def test_a_marked_entry_with_an_unknown_command_says_why() -> None:
    """`$ ` announces a command, so an unknown one is told."""
    entry = read_entry("$ bash run.sh", EXECUTABLES)
    assert (entry.kind, entry.why) == (Kind.PROSE, "bash is no command of a tool profile")
    assert read_entry("$ ", EXECUTABLES).why == ""


def test_open_quotes_are_prose_with_a_reason() -> None:
    """A sentence with an apostrophe is no command."""
    entry = read_entry("python doesn't crash on empty input", EXECUTABLES)
    assert (entry.kind, entry.why) == (
        Kind.PROSE,
        "its quotes are not closed, so it is no command",
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("pytest | tee log", "the operator |"),
        ("make && make test", "the operator &&"),
        ("make;make test", "the operator ;"),
        ("make test > log", "the operator >"),
        ("make test 2>&1", "the operator >&"),
        ("python < in", "the operator <"),
        ("make test &", "the operator &"),
        ("make (all)", "the operator ("),
        ("make `date`", "a command substitution"),
        ('python -c "$(cat x)"', "a command substitution"),
        ("python $HOME/x.py", "the variable $HOME"),
        ("python ${X}", "the variable ${X"),
        ("ruff check src/*.py", "the file pattern src/*.py"),
    ],
)
def test_what_needs_a_shell_is_named(text: str, why: str) -> None:
    """An unquoted operator, variable or pattern is named and nothing is run wrongly."""
    entry = read_entry(text, EXECUTABLES)
    assert (entry.kind, entry.why) == (Kind.NEEDS_SHELL, why)


def test_the_documented_runners() -> None:
    """The executables that need no tool profile are the documented ones."""
    documented = "pytest python python3 node npm npx make go cargo ruff mypy tox nox"
    assert set(documented.split()) == RUNNERS
