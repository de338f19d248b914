"""semgrep and detect-secrets: rules and baselines of the tree, and nothing that leaves the machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from penstock.checks.plugins.port import Unavailable
from tests.support.checkers import (
    find_checker,
    found_by,
    run_plugin,
    tool_of,
    use_checkers,
    write_tree,
)
from tests.support.listening import Calls, behind, proxy
from tests.support.readers import parse, parse_json


def rule(name: str, pattern: str, severity: str = "WARNING", **more: str) -> str:
    """Return a file with one rule for Python."""
    fields = {"id": name, "pattern": pattern, "message": f"{name}!", "severity": severity, **more}
    return json.dumps({"rules": [{**fields, "languages": ["python"]}]})


BAD = "print(eval('1'))\nexec('2')\n"
SECRET = 'AWS = "AKIAIOSFODNN7EXAMPLE"\n'  # pragma: allowlist secret


# -- semgrep ---------------------------------------------------------------------------------------
def test_without_rules_it_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tree without rules of its own gets none from elsewhere."""
    use_checkers(monkeypatch, "semgrep")
    found = tool_of("semgrep", write_tree(tmp_path, {"a.py": BAD}))
    assert isinstance(found, Unavailable)
    assert found.hint == "add one of .semgrep.yml, .semgrep.yaml, .semgrep"


@pytest.mark.parametrize("name", [".semgrep.yml", ".semgrep.yaml", ".semgrep/a.yml"])
def test_rules_of_the_tree_are_used(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rules are taken from a file or a folder, their names without the folder."""
    use_checkers(monkeypatch, "semgrep")
    place = write_tree(tmp_path, {"a.py": BAD, name: rule("no-exec", "exec(...)", "INFO")})
    assert found_by("semgrep", place, ["a.py"]) == ["a.py:2:1 info/security no-exec"]


def test_all_files_of_a_folder_of_rules_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finding says what can be mended and where to read more."""
    use_checkers(monkeypatch, "semgrep")
    first = rule("no-eval", "eval(...)", "ERROR", fix="int(...)")
    place = write_tree(
        tmp_path, {"a.py": BAD, ".semgrep/a.yml": first, ".semgrep/b.yml": rule("b", "exec(...)")}
    )
    issues = run_plugin("semgrep", place, ["a.py"]).issues
    assert {issue.code: issue.fixable for issue in issues} == {"no-eval": True, "b": False}


def test_rules_that_cannot_be_read_are_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken rule fails the plugin and says why."""
    use_checkers(monkeypatch, "semgrep")
    place = write_tree(tmp_path, {"a.py": BAD, ".semgrep.yml": "rules: [{id: x\n"})
    result = run_plugin("semgrep", place, ["a.py"])
    assert not result.success
    assert "Invalid YAML file .semgrep.yml" in (result.problem or "")


def test_a_file_that_is_read_in_part_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where semgrep cannot parse, its findings are not the whole truth, and that is said."""
    use_checkers(monkeypatch, "semgrep")
    broken = f"{BAD}def f(:\n    pass\n\n\nclass = 3\n"
    place = write_tree(tmp_path, {"a.py": broken, ".semgrep.yml": rule("no-exec", "exec(...)")})
    result = run_plugin("semgrep", place, ["a.py"])
    assert result.success, result.problem
    told = [found for found in result.issues if found.code != "no-exec"]
    assert [(found.path, found.severity.value) for found in told] == [("a.py", "warning")]


def test_it_phones_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection is opened by a check or for its version, though without our options some are."""
    place = write_tree(tmp_path / "tree", {"a.py": BAD, ".semgrep.yml": rule("x", "exec(...)")})
    with proxy() as calls:
        semgrep = behind(monkeypatch, tmp_path / "bin", "semgrep", calls)
        assert found_by("semgrep", place, ["a.py"]) == ["a.py:2:1 warning/security x"]
        assert calls.heard == []
        assert calls_somebody([str(semgrep), "--version"], calls, tmp_path)


def calls_somebody(command: list[str], calls: Calls, home: Path) -> bool:
    """Tell whether a command opens a connection; it is ended as soon as it does."""
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    ) as child:
        deadline = time.monotonic() + 60
        while not calls.heard and child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        with suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(child.pid, signal.SIGKILL)
    return bool(calls.heard)


def test_semgrep_leaves_nothing_in_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a log nor settings are written for the user."""
    use_checkers(monkeypatch, "semgrep")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    place = write_tree(tmp_path / "tree", {"a.py": BAD, ".semgrep.yml": rule("x", "exec(...)")})
    found_by("semgrep", place, ["a.py"])
    assert list((tmp_path / "home").rglob("*")) == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"results": [{}]}', "\x00"])
def test_rubbish_is_not_read(text: str) -> None:
    """Output of another shape is nothing to go by."""
    assert not parse("semgrep", text, exit_code=0).ok


def test_an_error_of_no_file_is_nothing_to_go_by() -> None:
    """A fatal error makes empty results worthless."""
    error = {"level": "error", "message": "rule x cannot be read", "type": "SemgrepError"}
    parsed = parse_json("semgrep", {"results": [], "errors": [error]}, exit_code=0)
    assert (parsed.ok, parsed.why) == (False, "rule x cannot be read")


# -- detect-secrets --------------------------------------------------------------------------------
def make_baseline(tree: Path, *files: str) -> None:
    """Write a baseline with the real tool."""
    command = [str(find_checker("detect-secrets")), "scan", "--no-verify", *files]
    done = subprocess.run(command, cwd=tree, capture_output=True, check=True)
    (tree / ".secrets.baseline").write_bytes(done.stdout)


def test_secrets_of_the_baseline_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the baseline knows is not told again, wherever it has moved to in its file."""
    use_checkers(monkeypatch, "detect-secrets")
    place = write_tree(tmp_path, {"a.py": SECRET, "b.py": SECRET})
    make_baseline(tmp_path, "a.py")
    write_tree(tmp_path, {"a.py": f"\n\n{SECRET}"})
    before = (tmp_path / ".secrets.baseline").read_bytes()
    found = found_by("detect_secrets", place, ["a.py", "b.py"])
    assert found == ["b.py:1 error/security aws-access-key"]
    assert (tmp_path / ".secrets.baseline").read_bytes() == before


def test_a_secret_that_an_audit_has_confirmed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A baseline may say of an entry that it is a real secret: then it counts."""
    use_checkers(monkeypatch, "detect-secrets")
    place = write_tree(tmp_path, {"a.py": SECRET})
    make_baseline(tmp_path, "a.py")
    baseline = json.loads((tmp_path / ".secrets.baseline").read_text())
    baseline["results"]["a.py"][0]["is_secret"] = True
    (tmp_path / ".secrets.baseline").write_text(json.dumps(baseline))
    assert found_by("detect_secrets", place, ["a.py"]) == ["a.py:1 error/security aws-access-key"]


def test_secrets_are_not_tried_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that was found is not shown to the service that it may open."""
    key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # pragma: allowlist secret
    place = write_tree(tmp_path / "tree", {"a.py": f'{SECRET}aws_secret = "{key}"\n'})
    with proxy() as calls:
        behind(monkeypatch, tmp_path / "bin", "detect-secrets", calls)
        assert found_by("detect_secrets", place, ["a.py"]) != []
    assert calls.heard == []


def test_a_secret_is_never_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a finding says holds no part of the secret."""
    use_checkers(monkeypatch, "detect-secrets")
    place = write_tree(tmp_path, {"a.py": SECRET})
    result = run_plugin("detect_secrets", place, ["a.py"])
    assert "AKIA" not in f"{result}"
