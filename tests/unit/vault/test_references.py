"""Values that lie elsewhere."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from penstock.errors import SecretsError, UsageError
from penstock.vault.api import LONGEST_VALUE
from penstock.vault.references import check_reference, follow


def printing(tmp_path: Path, code: str) -> str:
    """Return a reference to a program that runs some Python."""
    script = tmp_path / "with blank.py"
    script.write_text(code, encoding="utf-8")
    return f"cmd:{sys.executable} '{script}'"


def environ(**more: str) -> dict[str, str]:
    """Return an environment in which programs are found."""
    return {"PATH": os.environ["PATH"], **more}


@pytest.mark.parametrize(
    "reference",
    ["op://Private/OpenAI/key", "op://a/b/section/c", "env:OPENAI", "cmd:pass show openai"],
)
def test_references_of_the_three_kinds(reference: str) -> None:
    """What can be followed is taken."""
    assert check_reference(reference) == reference


@pytest.mark.parametrize(
    "reference",
    ["", "openai", "op://", "op://a/b", "env:", "env:A-B", "cmd:", "cmd:  ", "cmd:'open",
     "file:/etc/passwd", "https://x/y", "env:A\nB", "cmd:a\x1b[0m"],
)  # fmt: skip
def test_other_references_are_refused(reference: str) -> None:
    """What cannot be followed is refused when it is kept, not when it is needed."""
    with pytest.raises(UsageError):
        check_reference(reference)


def test_a_variable_is_read(tmp_path: Path) -> None:
    """`env:` is the variable as it is now; one that is not set is said."""
    assert follow("env:OTHER", {"OTHER": "value"}) == "value"
    for missing in ({}, {"OTHER": ""}):
        with pytest.raises(SecretsError, match="OTHER is not set"):
            follow("env:OTHER", missing)


def test_what_a_program_prints_is_the_value(tmp_path: Path) -> None:
    """Its arguments are split like a shell's but no shell is there; the last line end goes."""
    reference = printing(tmp_path, "print('two\\nlines $HOME')")
    assert follow(reference, environ()) == "two\nlines $HOME"


def test_a_program_gets_what_finds_its_agent_and_no_key(tmp_path: Path) -> None:
    """The variables of password managers are handed on, other secrets are not."""
    reference = printing(tmp_path, "import os; print(','.join(sorted(os.environ)))")
    given = environ(OP_SESSION_x="1", SSH_AUTH_SOCK="s", OPENAI_API_KEY="k", HOME=str(tmp_path))
    names = follow(reference, given).split(",")
    assert {"OP_SESSION_x", "SSH_AUTH_SOCK", "PATH"} <= set(names)
    assert "OPENAI_API_KEY" not in names


def test_op_is_asked_for_the_item(tmp_path: Path) -> None:
    """`op://` is what `op read` says."""
    program = tmp_path / "op"
    program.write_text('#!/bin/sh\n[ "$1 $2" = "read --no-newline" ] && printf "of %s" "$3"\n')
    program.chmod(0o755)
    given = environ() | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    assert follow("op://v/i/f", given) == "of op://v/i/f"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (
            "import sys; print('sesame'); print('sesame', file=sys.stderr); sys.exit(3)",
            "exit code 3",
        ),
        ("print()", "printed nothing"),
        (f"print('sesame' * {LONGEST_VALUE})", "more than 64 KiB"),
        ("import sys; sys.stdout.buffer.write(b'sesame\\xff')", "no text in UTF-8"),
    ],
)
def test_a_failing_program_is_not_quoted(tmp_path: Path, code: str, why: str) -> None:
    """The message says what is wrong, and repeats nothing that the program said."""
    with pytest.raises(SecretsError, match=why) as caught:
        follow(printing(tmp_path, code), environ())
    assert "sesame" not in str(caught.value)


def test_a_hanging_program_is_ended(tmp_path: Path) -> None:
    """A program that waits for a password nobody types is given up."""
    began = time.monotonic()
    with pytest.raises(SecretsError, match=r"no answer within 0\.3 s"):
        follow(printing(tmp_path, "import time; time.sleep(60)"), environ(), answer_s=0.3)
    assert time.monotonic() - began < 10


def test_a_program_that_is_not_there() -> None:
    """It is named."""
    with pytest.raises(
        SecretsError, match=r"`no-such-manager show x` cannot be started: .*not installed"
    ):
        follow("cmd:no-such-manager show x", environ())
