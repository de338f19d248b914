"""The plugin `secrets` of `penstock check`: findings without values, marks, the baseline, the cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.cli.main import main
from penstock.model.finding import Finding
from penstock.model.fingerprint import fingerprints
from tests.support.cli import Said
from tests.support.planting import line_with, scan_of, token
from tests.support.repos import make_repo, write

ONLY = ("check", "--only", "secrets")
BASELINE = ".aim-secrets-baseline.json"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that we stand in, with one secret in its tree."""
    monkeypatch.setenv("AIM_HOME", str(tmp_path / "aim"))
    monkeypatch.delenv("AIM_FINGERPRINT_KEY", raising=False)
    folder = make_repo(tmp_path / "repo")
    write(folder, {"src/key.py": "A = 1\n" + line_with(token())})
    monkeypatch.chdir(folder)
    return folder


def check(capsys: pytest.CaptureFixture[str], *args: str) -> Said:
    """Run `penstock check` in this process; no value may be told."""
    capsys.readouterr()
    code = main(args)
    out, err = capsys.readouterr()
    assert token()[6:] not in out + err
    return Said(code, out, err)


def accept(repo: Path) -> None:
    """Let what is there now stay."""
    scan = scan_of(repo, baseline=repo / BASELINE)
    assert scan.update_baseline(scan.report()) == 1


def test_a_key_is_an_error(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What has a provider's shape fails the file, masked, and is found by default."""
    said = check(capsys, *ONLY)
    assert said.code == 1
    assert "src/key.py:2:10: error github-token GitHub token ghp_…" in " ".join(said.out.split())
    assert check(capsys, "check", "src/key.py").code == 1


def test_what_is_merely_named_like_a_secret_is_a_warning(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An assignment that looks real fails in strict mode only."""
    write(repo, {"src/key.py": 'password = "x8Kd93mQpz71Lw"\n'})  # penstock: allow-secret
    assert check(capsys, *ONLY).code == 0
    assert check(capsys, *ONLY, "--strict").code == 1


def test_the_cache_holds_no_value(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A finding comes from the cache the second time, and nothing that is kept has the value."""
    check(capsys, *ONLY)
    said = check(capsys, *ONLY)
    assert said.code == 1
    assert "from the cache" in said.out
    kept = b"".join(p.read_bytes() for p in (repo / ".state").rglob("*") if p.is_file())
    assert token().encode() not in kept


def test_marks_and_the_baseline_let_one_stay(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mark in the line does, and so does the baseline of `aim scan secrets`, at once."""
    assert check(capsys, *ONLY).code == 1
    accept(repo)
    assert check(capsys, *ONLY).code == 0
    write(repo, {"src/new.py": line_with(token())})
    assert check(capsys, *ONLY).code == 1
    write(repo, {"src/new.py": line_with(token()).replace("\n", "  # gitleaks:allow\n")})
    assert check(capsys, *ONLY).code == 0


def test_a_baseline_that_cannot_be_used_is_no_pass(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A broken baseline is the failure of the check, with what mends it."""
    write(repo, {BASELINE: "{"})
    said = check(capsys, *ONLY)
    assert said.code == 1
    assert "is no baseline of secrets" in " ".join(said.out.split())


def test_it_does_not_stand_for_a_checker(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """That no secret is in a file does not mean that anything has checked it."""
    write(repo, {"a.unknown": "text\n"})
    said = check(capsys, "check", "--skip", "codespell", "a.unknown", "-v")
    assert "no-checker" in said.out


def test_a_baseline_of_checks_has_no_digest_of_the_line() -> None:
    """What tells the finding again is made of its message: a digest of the line could be tried out."""
    assert _told("secrets", "a") == _told("secrets", "b")
    assert _told("ruff", "a") != _told("ruff", "b")


def _told(tool: str, line: str) -> str | None:
    found = Finding(tool=tool, message="password …", path="a.py", line=1, code="r")
    return fingerprints([found], lambda _: [line])[0].fingerprint
