"""`aim scan secrets`: what it says, what it keeps, and what it never tells."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from penstock.aim_cli.main import main
from penstock.errors import UsageError
from penstock.wiring import open_workspace
from tests.support.cli import Said
from tests.support.planting import commit, line_with, token
from tests.support.repos import git, make_repo, write

BASELINE = ".aim-secrets-baseline.json"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that we stand in, with one secret in its tree."""
    monkeypatch.setenv("AIM_HOME", str(tmp_path / "aim"))
    monkeypatch.delenv("AIM_FINGERPRINT_KEY", raising=False)
    monkeypatch.delenv("AIM_REGISTRY_PATH", raising=False)
    folder = make_repo(tmp_path / "repo")
    write(folder, {"src/key.py": "A = 1\n" + line_with(token())})
    monkeypatch.chdir(folder)
    return folder


def scan(capsys: pytest.CaptureFixture[str], *args: str) -> Said:
    """Run `aim scan secrets ...` in this process; no value may be told."""
    capsys.readouterr()
    code = main(["scan", "secrets", *args])
    out, err = capsys.readouterr()
    assert token()[6:] not in out + err
    return Said(code, out, err)


def test_a_finding_is_told_and_masked(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Place, kind and length are told, what to do about it, and the exit code is 1."""
    said = scan(capsys)
    assert said.code == 1
    assert "src/key.py:2:10: GitHub token ghp_… (40 characters) [github-token]" in said.out
    assert "Revoke" in said.out
    assert all(len(line) <= 100 for line in said.out.splitlines())


def test_nothing_found_is_success(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a secret the exit code is 0, and git shows nothing of ours."""
    (repo / "src" / "key.py").unlink()
    assert scan(capsys).code == 0
    assert git(repo, "status", "--porcelain") == ""


@pytest.mark.parametrize("flag", ["--json", "--json-output", "-j"])
def test_the_report_for_machines(repo: Path, capsys: pytest.CaptureFixture[str], flag: str) -> None:
    """JSON has every finding and the sums."""
    said = scan(capsys, flag)
    (found,) = said.json["findings"]
    assert (found["path"], found["line"], found["rule"]) == ("src/key.py", 2, "github-token")
    assert len(found["fingerprint"]) == 32
    assert said.json["summary"] == {
        "findings": 1, "known": 0, "allowed": 0, "by_rule": {"github-token": 1},
    }  # fmt: skip


def test_sarif(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """SARIF has a result for each finding, and one with a suppression for each known one."""
    (result,) = scan(capsys, "--format", "sarif").json["runs"][0]["results"]
    assert result["ruleId"] == "aim/github-token"
    assert "suppressions" not in result
    scan(capsys, "--update-baseline")
    (result,) = scan(capsys, "--format", "sarif").json["runs"][0]["results"]
    assert result["suppressions"][0]["kind"] == "external"


def test_a_mark_lets_one_stay(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A comment in the line allows what is in it, and is counted."""
    text = line_with(token()).replace("\n", "  # penstock: allow-secret\n")
    write(repo, {"src/key.py": text})
    said = scan(capsys)
    assert said.code == 0
    assert "1 allowed in place" in said.out


def test_the_baseline_knows_what_was_there(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the baseline knows is no failure; another secret, or the same elsewhere, is one."""
    assert scan(capsys, "--update-baseline").code == 0
    assert scan(capsys).code == 0
    assert scan(capsys, "--no-baseline").code == 1
    write(repo, {"src/other.py": line_with(token())})
    assert "src/other.py:1:10" in scan(capsys).out


def test_the_baseline_holds_no_value_and_no_plain_hash(
    repo: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Only fingerprints that need the user's key are kept, and that key is the user's alone."""
    scan(capsys, "--update-baseline")
    text = (repo / BASELINE).read_text()
    assert token() not in text
    key = tmp_path / "aim" / "fingerprint.key"
    assert key.read_bytes().hex() not in text
    assert key.stat().st_mode & 0o777 == 0o600


def test_a_baseline_of_another_key_is_no_baseline(
    repo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On another machine it says what to do instead of calling everything new."""
    scan(capsys, "--update-baseline")
    monkeypatch.setenv("AIM_HOME", str(tmp_path / "another"))
    said = scan(capsys)
    assert said.code == 2
    assert "AIM_FINGERPRINT_KEY" in said.err
    monkeypatch.setenv(
        "AIM_FINGERPRINT_KEY", (tmp_path / "aim" / "fingerprint.key").read_bytes().hex()
    )
    assert scan(capsys).code == 0


def test_a_shared_key_travels_with_the_baseline(
    repo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With a key of its own a baseline serves every machine, and updates keep that key."""
    assert scan(capsys, "--update-baseline", "--share-key").code == 0
    key = json.loads((repo / BASELINE).read_text())["key"]
    monkeypatch.setenv("AIM_HOME", str(tmp_path / "another"))
    assert scan(capsys).code == 0
    scan(capsys, "--update-baseline")
    assert json.loads((repo / BASELINE).read_text())["key"] == key


def test_an_update_keeps_what_it_did_not_look_at(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Other files and the history keep their entries; what is gone from the files leaves."""
    write(repo, {"b/key.py": line_with(token(2)), "gone.py": line_with(token(3))})
    commit(repo, "old", {"old.py": line_with(token(4))})
    git(repo, "rm", "--quiet", "old.py")
    scan(capsys, "--update-baseline")
    scan(capsys, "--history", "--update-baseline")
    (repo / "gone.py").unlink()
    scan(capsys, "src", "--update-baseline")
    assert set(json.loads((repo / BASELINE).read_text())["files"]) == {
        "src/key.py", "b/key.py", "gone.py", "old.py",
    }  # fmt: skip
    scan(capsys, "--update-baseline")
    assert set(json.loads((repo / BASELINE).read_text())["files"]) == {
        "src/key.py", "b/key.py", "old.py",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 2}', "<<<<<<< ours\n"])
def test_a_broken_baseline_is_a_mistake(
    repo: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """A baseline that cannot be read is never taken for an empty one."""
    write(repo, {BASELINE: text})
    said = scan(capsys)
    assert said.code == 2
    assert "aim scan secrets --update-baseline" in said.err


def test_staged_and_history(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is staged is found before it is committed, and in the history after."""
    assert scan(capsys, "--staged").code == 0
    git(repo, "add", "--all")
    assert scan(capsys, "--staged").code == 1
    commit(repo, "a key", {"src/key.py": "A = 2\n" + line_with(token())})
    commit(repo, "gone", {"src/key.py": "A = 3\n"})
    assert scan(capsys).code == 0
    assert "(commit " in scan(capsys, "--history").out
    assert scan(capsys, "--range", "HEAD~1..HEAD").code == 0


@pytest.mark.parametrize(
    "args",
    [
        ("--update-baseline", "--no-baseline"), ("--share-key",), ("nowhere.py",), ("..",),
        ("--range", "nowhere"), ("--level", "loud"),
    ],
)  # fmt: skip
def test_contradictions_are_refused(
    repo: Path, capsys: pytest.CaptureFixture[str], args: tuple[str, ...]
) -> None:
    """What cannot be meant ends with 2 and changes nothing."""
    assert scan(capsys, *args).code == 2
    assert not (repo / BASELINE).exists()


def test_a_scan_is_in_the_audit_trail(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who looked for secrets is recorded, with places and without values."""
    scan(capsys)
    assert main(["audit", "query", "--type", "scan_execute", "--json"]) == 0
    entry = json.loads(capsys.readouterr().out)
    assert entry["details"]["places"] == ["src/key.py:2 github-token"]
    assert entry["details"]["findings"] == 1


def test_paths_are_from_where_we_stand(
    repo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder of the repository, names are that folder's."""
    monkeypatch.chdir(repo / "src")
    assert scan(capsys, "key.py").code == 1
    assert scan(capsys, "a.py").code == 0


def test_a_hook_keeps_a_secret_out_of_git(repo: Path) -> None:
    """A pre-commit hook sees what `git commit -a` and `git commit PATH` are about to commit."""
    hook = repo / ".git" / "hooks" / "pre-commit"
    program = f'"{sys.executable}" -m penstock.aim_cli scan secrets --staged'
    hook.write_text(f"#!/bin/sh\nAIM_HOME='{repo.parent / 'aim'}' exec {program} >&2\n")
    hook.chmod(0o755)
    first = git(repo, "rev-parse", "HEAD")
    write(repo, {"src/a.py": line_with(token())})
    for how in (("-a",), ("src/a.py",)):
        git(repo, "commit", "--quiet", "--message=a key", *how, ok=False)
        assert git(repo, "rev-parse", "HEAD") == first
    write(repo, {"src/a.py": "A = 2\n"})
    git(repo, "commit", "--quiet", "--message=no key", "-a")


def test_what_was_not_looked_at_is_told_in_short(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Five are named, the rest counted; JSON has them all."""
    names = [f"f{number}.py" for number in range(7)]
    commit(repo, "many", {name: f"A = '{name}'\n" for name in names})
    for name in names:
        oid = git(repo, "rev-parse", f"HEAD:{name}")
        (repo / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
    said = scan(capsys, "--history")
    assert said.out.count("Not looked at: f") == 5
    assert "Not looked at: 2 more" in said.out
    assert len(scan(capsys, "--history", "--json").json["skipped"]) == 7


def test_python_is_told_what_is_no_source(repo: Path) -> None:
    """A source or level that does not exist is refused."""
    with open_workspace() as workspace:
        for wanted in ({"sources": ["nowhere"]}, {"level": "loud"}):
            with pytest.raises(UsageError, match="cannot be scanned"):
                workspace.secret_scan(**wanted)


def test_an_unwritable_trail_is_a_warning(
    repo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scan that cannot be recorded says so and reports all the same."""
    write(repo, {".AIM_ai-tools-registry/AIM_audit": "in the way"})
    said = scan(capsys, "src")
    assert said.code == 1
    assert "Warning: this scan is not in the audit trail" in said.err


def test_a_folder_outside_of_git(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder can be scanned without any repository, and nothing is left in it."""
    monkeypatch.setenv("AIM_HOME", str(tmp_path / "aim"))
    write(tmp_path / "plain", {"key.py": line_with(token())})
    monkeypatch.chdir(tmp_path / "plain")
    assert scan(capsys).code == 1
    assert [path.name for path in (tmp_path / "plain").iterdir()] == ["key.py"]
    assert scan(capsys, "--staged").code == 2
