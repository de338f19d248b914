"""The table of commands, help without imports, and wrong command lines."""

from __future__ import annotations

import subprocess
import sys

import pytest

from penstock.cli.main import COMMANDS, main
from tests.support.cli import PENSTOCK, Cli, plain_environment

HEAVY = ("rich", "yaml", "msgspec", "jsonschema_rs", "click")


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda e: e.name)
def test_every_command_has_help(entry: object, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command of the table can be imported and explains itself in 80 columns."""
    assert main([str(getattr(entry, "name", "")), "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Usage: penstock ")
    assert max(len(line) for line in lines) <= 80


def test_help_lists_all_without_importing_them() -> None:
    """`--help` costs no command's imports."""
    code = (
        "import sys; from penstock.cli.main import main; main(['--help']);"
        "print([m for m in sys.modules if m.startswith('penstock.cli.commands.')], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert all(entry.name in done.stdout for entry in COMMANDS)


def test_importing_the_package_is_light() -> None:
    """`import penstock` loads nothing of ours and none of the heavy libraries."""
    code = "import sys, penstock; print([m for m in sys.modules if 'penstock.' in m or m in %r])"
    line = [sys.executable, "-c", code % (HEAVY,)]
    assert subprocess.run(line, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_status_does_without_the_heavy_libraries(cli: Cli) -> None:
    """Listing runs needs neither rich nor YAML nor the schema library when nothing asks for them."""
    code = (
        "import sys; from penstock.cli.main import main; main(['status']);"
        "print([m for m in ('rich', 'yaml', 'jsonschema_rs', 'subprocess') if m in sys.modules])"
    )
    line = [sys.executable, "-c", code]
    done = subprocess.run(line, cwd=cli.folder, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_mistyped_command_gets_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong command is exit code 2 and names the likely one."""
    assert main(["statsu"]) == 2
    assert "Did you mean 'status'?" in capsys.readouterr().err
    assert main(["zzz"]) == 2
    assert "Did you mean" not in capsys.readouterr().err


def test_a_wrong_option_is_a_usage_error_in_json_too(cli: Cli) -> None:
    """With --json even a usage error is JSON."""
    said = cli("status", "--nonsense", "--json")
    assert said.code == 2
    assert "No such option" in said.json["error"]["message"]


def test_the_version_and_the_module_form() -> None:
    """`python -m penstock` is penstock."""
    done = subprocess.run([*PENSTOCK, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("penstock 0.")


def test_a_shell_is_told_completions() -> None:
    """Shell completion answers with the commands."""
    env = plain_environment() | {
        "_PENSTOCK_COMPLETE": "bash_complete",
        "COMP_WORDS": "penstock sta",
        "COMP_CWORD": "1",
    }
    done = subprocess.run(PENSTOCK, env=env, capture_output=True, text=True, check=False)
    assert done.stdout == "plain,status\n"
