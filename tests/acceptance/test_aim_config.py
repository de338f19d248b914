"""`aim config`: what people and programs are told about aim_config."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penstock.aim_cli.main import main
from tests.support.cli import Said, make_repository
from tests.support.registries import write_config, write_json

KEY = "sk-ant-api03-" + "Zx9" * 20
NAME = "config/aim_config.json"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that we stand in, without variables that lead elsewhere."""
    folder = make_repository(tmp_path / "r", commit=False)
    monkeypatch.chdir(folder)
    for name in ("AIM_REGISTRY_PATH", "AIM_VAULT", "AIM_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return folder


@pytest.fixture
def aim(capsys: pytest.CaptureFixture[str]) -> Aim:
    """Runs `aim` in this process."""
    return Aim(capsys)


class Aim:
    """Runs command lines."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *args: str) -> Said:
        """Run one command line."""
        self._capsys.readouterr()
        code = main(args)
        out, err = self._capsys.readouterr()
        return Said(code, out, err)


def test_show_tells_each_value_with_its_origin(repo: Path, aim: Aim) -> None:
    """A file, a variable or a packaged default; a key that somebody wrote down is masked."""
    write_config(repo, {"environment": {"toolsRoot": "$HOME/t"},
                        "registry": {"tools": {"aider": {"versionCommand": f"aider {KEY}"}}}})  # fmt: skip
    said = aim("config", "show")
    assert said.code == 0, said.err
    assert said.out.startswith(f"Configuration: {NAME}\n")
    lines = {line.split()[0]: line for line in said.out.splitlines() if line}
    assert lines["environment.toolsRoot"].endswith("  line 1:18 with $HOME")
    assert lines["enable_aim"].endswith("packaged default")
    assert KEY not in said.out


def test_show_as_json_and_only_what_is_changed(repo: Path, aim: Aim) -> None:
    """The same for programs; packaged defaults are left out on demand."""
    write_config(repo, {"enable_aim": False})
    write_config(repo, {}, "aim/config/aim_config.json")
    shown = aim("config", "show", "--changed", "-j").json
    assert (shown["source"], shown["passed_over"]) == (NAME, ["aim/config/aim_config.json"])
    assert shown["settings"] == [
        {"key": "enable_aim", "value": False, "origin": f"{NAME}:1:2", "file": NAME,
         "line": 1, "column": 2},
    ]  # fmt: skip
    assert "Not read: aim/config/aim_config.json" in aim("config", "show").out


def test_show_of_a_wrong_file_lists_its_errors(repo: Path, aim: Aim) -> None:
    """There is nothing to be shown; every error is told, exit code 2."""
    write_config(repo, {"enable_aim": 1, "nonsense": 2})
    said = aim("config", "show", "--json")
    assert (said.code, said.json["error"]["exit_code"]) == (2, 2)
    assert "nonsense" in said.err


def test_validate_lists_everything_with_its_place(repo: Path, aim: Aim) -> None:
    """One line for each error, as editors understand them; exit code 1."""
    path = write_config(repo, {})
    path.write_text('{\n  "enable_aim": 1,\n  "environment": {"toolz": 2}\n}\n')
    said = aim("config", "validate")
    assert said.code == 1
    first, second = said.out.splitlines()
    assert first == f"{NAME}:2:3: enable_aim: expected true or false, got 1"
    assert second.startswith(f"{NAME}:3:19: environment.toolz: unknown key; ")
    assert "2 mistakes" in said.err
    assert "aim config schema" in said.err


def test_validate_looks_at_pins(repo: Path, aim: Aim) -> None:
    """A pin that no manager understands is an error with its place."""
    pins = {"npm": {"a": "^1.2", "b": "^^2"}, "pipx": {"c": ">=1,<2", "d": "== nothing"}}
    write_config(repo, {"environment": {"versionPins": pins}})
    errors = aim("config", "validate", "--json").json["errors"]
    assert [error["key"].rpartition(".")[2] for error in errors] == ["d", "b"]
    assert all(error["line"] == 1 and error["column"] for error in errors)


def test_validate_when_all_is_well(repo: Path, aim: Aim) -> None:
    """A valid file, none at all, and warnings: exit code 0."""
    assert aim("config", "validate").out == "There is no aim_config: packaged defaults serve.\n"
    write_config(repo, {"environment": {"toolsRoot": "$NOT_SET_HERE/x"}})
    said = aim("config", "validate")
    assert said.code == 0
    assert said.out.splitlines()[0].startswith("warning: ")
    assert said.out.splitlines()[1] == f"{NAME}: valid."
    assert aim("config", "validate", "--json").json["ok"] is True


def test_validate_another_file(repo: Path, aim: Aim) -> None:
    """A file that is named is held against the schema."""
    write_json(repo / "mine.json", {"enable_aim": "no"})
    said = aim("config", "validate", "mine.json")
    assert (said.code, said.out.count("\n")) == (1, 1)


def test_schema_is_the_published_one(repo: Path, aim: Aim) -> None:
    """It is printed, or written where it is told to; a place that cannot be written is exit 2."""
    published = Path(__file__).parents[2] / "schema" / "aim_config.schema.json"
    assert aim("config", "schema").json == json.loads(published.read_text(encoding="utf-8"))
    assert aim("config", "schema", "-o", "s.json").code == 0
    assert (repo / "s.json").read_text(encoding="utf-8") == published.read_text(encoding="utf-8")
    assert aim("config", "schema", "-o", "s.json", "--json").json == {"file": "s.json"}
    assert aim("config", "schema", "-o", "none/s.json").code == 2
