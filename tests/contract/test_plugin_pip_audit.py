"""pip-audit: requirements that files go by, a real service's answer, and no network at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from penstock.model.finding import Severity
from tests.support.checkers import brief, find_checker, run_plugin, use_checkers, write_tree
from tests.support.osv import osv_service
from tests.support.readers import parse, parse_json

NOWHERE = "http://127.0.0.1:9"


def use_service(patch: pytest.MonkeyPatch, folder: Path, address: str) -> None:
    """Put a pip-audit on PATH that is the real one, but asks this service and resolves nothing."""
    use_checkers(patch, "pip-audit")
    folder.mkdir()
    wrapper = folder / "pip-audit"
    options = f"-s osv --osv-url {address} --disable-pip --no-deps"
    wrapper.write_text(f'#!/bin/sh\nexec "{find_checker("pip-audit")}" "$@" {options}\n')
    wrapper.chmod(0o755)
    patch.setenv("PATH", os.pathsep.join([str(folder), os.environ["PATH"]]))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        patch.delenv(name, raising=False)


def test_a_vulnerable_package_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A known vulnerability is a security error of the file of requirements, with its remedy."""
    place = write_tree(tmp_path / "tree", {"requirements.txt": "safe==1.0\nvulnerable==1.0\n"})
    with osv_service() as address:
        use_service(monkeypatch, tmp_path / "bin", address)
        result = run_plugin("python_safety", place, ["requirements.txt"])
    assert result.success, result.problem
    assert [brief(found, place) for found in result.issues] == [
        "requirements.txt error/security PYSEC-2026-1"
    ]
    assert "vulnerable 1.0: PYSEC-2026-1, CVE-2026-0001; fixed in 2.0" in result.issues[0].message


def test_source_stands_for_the_nearest_requirements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file of requirements is asked about once; what is found shows at the first source file."""
    files = dict.fromkeys(["app/a.py", "app/deep/b.py", "c.py"], "")
    needs = {"app/requirements-dev.txt": "vulnerable==1.0\n", "req.txt": "safe==1.0\n"}
    place = write_tree(tmp_path / "tree", {**files, **needs})
    with osv_service() as address:
        use_service(monkeypatch, tmp_path / "bin", address)
        result = run_plugin("python_safety", place, list(files))
    assert result.metadata["runs"] == 2
    assert [found.path for found in result.issues] == ["app/a.py"]
    assert result.issues[0].message.startswith("app/requirements-dev.txt: vulnerable 1.0")


def test_safe_packages_are_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages of which nothing bad is known are clean."""
    place = write_tree(tmp_path / "tree", {"requirements.txt": "safe==1.0\n"})
    with osv_service() as address:
        use_service(monkeypatch, tmp_path / "bin", address)
        result = run_plugin("python_safety", place, ["requirements.txt"])
    assert (result.success, result.issues) == (True, ())


def test_without_requirements_nothing_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tree without requirements is clean, and no tool is started."""
    use_checkers(monkeypatch, "pip-audit")
    place = write_tree(tmp_path, {"a.py": ""})
    result = run_plugin("python_safety", place, ["a.py"])
    assert (result.success, result.issues, result.returncode) == (True, (), None)


@pytest.mark.slow
def test_no_network_is_no_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the service cannot be reached the plugin has a problem, and soon."""
    use_checkers(monkeypatch, "pip-audit")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, NOWHERE)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    place = write_tree(tmp_path / "tree", {"requirements.txt": "requests==2.19.0\n"})
    result = run_plugin("python_safety", place, ["requirements.txt"])
    assert not result.success
    assert result.problem
    assert result.duration_ms < 60_000


# -- Safety ----------------------------------------------------------------------------------------
def safety_report(*files: str, ignored: bool = False) -> str:
    """Return what `safety scan` reports of files that require vulnerable==1.0."""
    known = {"id": "70612", "vulnerable_spec": "<2.0"}
    if ignored:
        known |= {"ignored": {"code": "cli", "reason": "", "expires": None}}  # type: ignore[dict-item]
    pinned = {
        "raw": "vulnerable==1.0",
        "vulnerabilities": {
            "known_vulnerabilities": [known],
            "remediation": {"vulnerabilities_found": 1, "recommended": "2.0"},
        },
    }
    results = {"dependencies": [{"name": "vulnerable", "specifications": [pinned]}]}
    found = [{"location": f, "type": "requirements.txt", "results": results} for f in files]
    return json.dumps({"meta": {}, "scan_results": {"files": [], "projects": [{"files": found}]}})


def use_safety(patch: pytest.MonkeyPatch, folder: Path, report: str) -> Path:
    """Put a `safety` on PATH that needs a key, logs its arguments, and says this; return the log."""
    folder.mkdir()
    log = folder / "log"
    (folder / "report").write_text(report)
    program = folder / "safety"
    program.write_text(
        f"#!/bin/sh\n"
        f"if [ \"$1\" = --version ]; then echo 'safety, version 3.8.1'; exit 0; fi\n"
        f'echo "$*" >>{log}\n'
        f'[ "$SAFETY_API_KEY" = s3cret ] || exit 65\n'
        f"cat {folder / 'report'}\n"
        f"exit 64\n"
    )
    program.chmod(0o755)
    patch.setenv("PATH", os.pathsep.join([str(folder), "/usr/bin", "/bin"]))
    patch.setenv("SAFETY_API_KEY", "s3cret")
    return log


def test_with_a_key_safety_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each folder with requirements is scanned once, and the key is no argument."""
    files = {"requirements.txt": "", "app/req.txt": "", "app/a.py": "", "b.py": ""}
    place = write_tree(tmp_path / "tree", files)
    report = safety_report(str(place.tree / "requirements.txt"))
    log = use_safety(monkeypatch, tmp_path / "bin", report)
    result = run_plugin("python_safety", place, ["b.py", "requirements.txt"])
    assert result.success, result.problem
    assert log.read_text() == "scan --output json --target .\n"
    assert [brief(found, place) for found in result.issues] == [
        "requirements.txt error/security 70612"
    ]
    assert result.issues[0].message == "vulnerable==1.0: 70612 (in <2.0); use 2.0"


def test_what_safety_finds_shows_at_who_requires_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source file stands for requirements that were not named themselves."""
    place = write_tree(tmp_path / "tree", {"app/req.txt": "", "app/a.py": ""})
    use_safety(monkeypatch, tmp_path / "bin", safety_report(str(place.tree / "app/req.txt")))
    issues = run_plugin("python_safety", place, ["app/a.py"]).issues
    assert [(found.path, found.message[:12]) for found in issues] == [("app/a.py", "app/req.txt:")]


def test_a_refused_key_is_no_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exit code that tells of no findings is a problem."""
    place = write_tree(tmp_path / "tree", {"requirements.txt": ""})
    use_safety(monkeypatch, tmp_path / "bin", safety_report())
    monkeypatch.setenv("SAFETY_API_KEY", "wrong")
    result = run_plugin("python_safety", place, ["requirements.txt"])
    assert not result.success
    assert "exit code 65" in (result.problem or "")
    assert "wrong" not in f"{result}"


def test_what_the_policy_ignores_is_ignored() -> None:
    """Vulnerabilities that the user's policy sets aside are no findings; rubbish is not read."""
    assert parse("safety", safety_report("a", ignored=True), exit_code=0).findings == ()
    assert not parse("safety", "{}", exit_code=0).ok


# -- reading ---------------------------------------------------------------------------------------
def test_what_could_not_be_audited_is_told() -> None:
    """A package that pip-audit passes over is a warning beside what it has audited."""
    skipped = {"name": "ours", "skip_reason": "not found"}
    audited = {"name": "safe", "version": "1.0", "vulns": []}
    parsed = parse_json("pip_audit", {"dependencies": [skipped, audited]}, exit_code=0)
    assert [found.severity for found in parsed.findings] == [Severity.WARNING]
    assert "ours could not be audited: not found" in parsed.findings[0].message


def test_nothing_audited_is_nothing_to_go_by() -> None:
    """When the service knows no package at all, `No known vulnerabilities found` is no pass."""
    skipped = [{"name": name, "skip_reason": "not found"} for name in ("a", "b")]
    parsed = parse_json("pip_audit", {"dependencies": skipped, "fixes": []}, exit_code=0)
    assert not parsed.ok
    assert "no package could be audited" in parsed.why


@pytest.mark.parametrize("text", ["", "[]", "{}", "ERROR", json.dumps({"dependencies": [1]})])
def test_rubbish_is_not_read(text: str) -> None:
    """Output of another shape is nothing to go by."""
    assert not parse("pip_audit", text, exit_code=0).ok
