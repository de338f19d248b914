"""The reader of SARIF against what real tools print, and against what penstock prints itself."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from penstock.checks.plugins.base import ForgetfulMemory
from penstock.checks.plugins.declared import ManifestPlugin
from penstock.checks.plugins.port import Call, ToolFacts
from penstock.model.finding import Finding
from penstock.model.manifest import Manifest
from penstock.process.api import Stop
from tests.support.checkers import checker_path, run_plugin, write_tree
from tests.support.cli import child, make_repository
from tests.support.readers import parse
from tests.support.repofiles import write_files

FILES = {
    "pkg/a b.py": "import os\n\n\ndef f():\n    x = eval('1')\n",
    "pkg/ok.py": "X = 1\n",
    "bad.py": "def f(:\n",
    ".semgrep.yml": """\
rules:
  - id: no-eval
    pattern: eval(...)
    message: do not evaluate
    languages: [python]
    severity: ERROR
""",
}
TARGETS = ("pkg/a b.py", "pkg/ok.py", "bad.py")
AS_SARIF = {
    "python_ruff": ("ruff", ["check", "--no-cache", "--quiet", "--output-format", "sarif"], [1]),
    "semgrep": (
        "semgrep",
        [
            *("scan", "--sarif", "--quiet", "--metrics", "off", "--disable-version-check"),
            *("--config", ".semgrep.yml", "--error"),
        ],
        [1],
    ),
}
KEYS = ("path", "line", "column", "end_line", "end_column", "code", "severity", "message")


def sarif_plugin(plugin_id: str) -> ManifestPlugin:
    """Return a plugin without code that reads the SARIF of the tool of another plugin."""
    command, arguments, codes = AS_SARIF[plugin_id]
    tool = {"command": command, "arguments": arguments, "findings_codes": codes, "timeout_s": 120}
    value = {"plugin_id": "x", "name": "x", "tool": tool, "output": {"reader": "sarif"}}
    return ManifestPlugin(msgspec.convert(value, Manifest))


def places(findings: tuple[Finding, ...], tree: Path) -> set[tuple[str, int | None, int | None]]:
    """Return where findings are, their paths relative to the tree."""
    return {
        (os.path.relpath(tree / (found.path or "?"), tree), found.line, found.column)
        for found in findings
    }


@pytest.mark.parametrize("plugin_id", AS_SARIF)
def test_sarif_and_json_of_a_tool_agree(
    plugin_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a line of code the same is found at the same places as by the built-in plugin."""
    files = {name: FILES[name] for name in (*TARGETS[:2], ".semgrep.yml")}
    monkeypatch.setenv("PATH", checker_path(AS_SARIF[plugin_id][0]))
    place = write_tree(tmp_path / "tree", files)
    plugin = sarif_plugin(plugin_id)
    tool = plugin.find_tool(place, ForgetfulMemory())
    assert isinstance(tool, ToolFacts)
    call = Call(tool=tool, scratch=tmp_path, cache=tmp_path, stop=Stop())
    by_sarif = plugin.check(TARGETS[:2], place, call)
    assert by_sarif.success, by_sarif.problem
    by_json = run_plugin(plugin_id, place, TARGETS[:2])
    assert places(by_sarif.issues, place.tree) == places(by_json.issues, place.tree) != set()
    assert {found.message for found in by_sarif.issues} == {
        found.message for found in by_json.issues
    }


def test_what_penstock_prints_it_reads(tmp_path: Path) -> None:
    """Findings go through our own SARIF and back: place, code, severity and message are kept."""
    root = make_repository(tmp_path / "project")
    write_files(root, {name: FILES[name] for name in TARGETS})
    env = {"PATH": checker_path("ruff"), "HOME": str(tmp_path)}
    options = ("check", "--only", "python_ruff", "--format")
    report = child(*options, "json", cwd=root, env=env).json
    parsed = parse("sarif", child(*options, "sarif", cwd=root, env=env).out, tree=root)
    assert parsed.ok, parsed.why
    told = {tuple(str(i[key]) for key in KEYS) for f in report["files"] for i in f["issues"]}
    assert {kept(found, root) for found in parsed.findings} == told != set()


def kept(found: Finding, root: Path) -> tuple[str, ...]:
    """Return what came back, under the names that the finding had: a rule is `tool/code` there."""
    code = (found.code or "").partition("/")[2]
    path = os.path.relpath(root / (found.path or "?"), root)
    found = msgspec.structs.replace(found, code=code, path=path)
    return tuple(str(getattr(found, key)) for key in KEYS)
