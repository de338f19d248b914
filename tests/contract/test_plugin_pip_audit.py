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
