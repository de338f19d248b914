"""Built-in plugins whose tools cannot be installed everywhere, against stand-ins that behave as
documented. What a real gitleaks or PowerShell does differently, these cannot show."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

import pytest

from penstock.checks.plugins.builtin.powershell_pssa.plugin import SCRIPT
from penstock.checks.plugins.port import Call, ToolFacts, Unavailable
from penstock.model.finding import Category, Severity
from penstock.process.api import Stop
from tests.support.checkers import built_in
from tests.support.fake_checkers import GITLEAKS, PWSH, install_fake
from tests.support.plugin_runs import ScratchTree

KEY = "AKIA" + "QYLPMN5HHHFPZAM2"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScratchTree:
    """Return an empty tree with the stand-ins, and nothing else of use, on PATH."""
    programs = tmp_path / "bin"
    install_fake(programs, "gitleaks", GITLEAKS)
    install_fake(programs, "pwsh", PWSH)
    (programs / "gitleaks.version").write_text("8.28.0\n", encoding="utf-8")
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return ScratchTree(tmp_path)


# -- gitleaks ------------------------------------------------------------------------------------
def test_gitleaks_tells_where_and_never_what(tree: ScratchTree) -> None:
    """A leak is an error of security at its place, and no part of the result holds the secret."""
    tree.write({"src/a.py": f"x = 1\nkey = '{KEY}'\n", "ok.py": "x = 1\n"})
    result = tree.check("gitleaks", "src/a.py", "ok.py")
    assert result.success, result.problem
    (found,) = result.issues
    assert (found.path, found.line, found.column) == ("src/a.py", 2, 8)
    assert (found.code, found.category) == ("aws-access-token", Category.SECURITY)
    assert found.severity is Severity.ERROR
    assert KEY not in repr(result)


def test_gitleaks_looks_at_what_it_was_given(tree: ScratchTree) -> None:
    """It takes whole folders, so it gets one that holds the files of the batch alone."""
    tree.write({"a.py": f"{KEY}\n", "b.py": f"{KEY}\n", "c/-x [1].py": f"{KEY}\n"})
    assert tree.found("gitleaks", "a.py", "c/-x [1].py") == [
        "a.py:1:1 error/security aws-access-token",
        "c/-x [1].py:1:1 error/security aws-access-token",
    ]


def test_gitleaks_obeys_the_repository(tree: ScratchTree) -> None:
    """Its configuration and its list of known leaks are those of the tree, and are not looked at."""
    tree.write({"a.py": f"{KEY}\n", ".gitleaks.toml": f"# {KEY}\n[extend]\npath = 'more.toml'\n"})
    tree.write({".gitleaksignore": "a.py:aws-access-token:1\n", "more.toml": ""})
    assert tree.found("gitleaks", "a.py") == []


@pytest.mark.parametrize("path", ["/etc/passwd", "../x.toml", "gone.toml", 5])
def test_an_extended_configuration_elsewhere_is_not_copied(tree: ScratchTree, path: object) -> None:
    """What lies outside of the tree stays there; gitleaks says so when it misses it."""
    tree.write({"a.py": "1\n", ".gitleaks.toml": f"[extend]\npath = {path!r}\n"})
    assert tree.found("gitleaks", "a.py") == []


@pytest.mark.parametrize(
    ("version", "begin"),
    [
        ("8.28.0", "dir . "),
        ("8.19.0", "dir . "),
        ("8.18.4", "detect --no-git --source . "),
        ("dev", "dir . "),
    ],
)
def test_gitleaks_is_called_as_its_version_wants(
    tree: ScratchTree, version: str, begin: str
) -> None:
    """Before 8.19 the subcommand was another."""
    facts = tree.find("gitleaks")
    assert isinstance(facts, ToolFacts)
    facts.executable.with_name("gitleaks.version").write_text(version, encoding="utf-8")
    tree.write({"a.py": "1\n"})
    assert tree.found("gitleaks", "a.py") == []
    assert facts.executable.with_name("gitleaks.calls").read_text().startswith(begin)


def test_gitleaks_without_room_for_copies_has_a_problem(tree: ScratchTree) -> None:
    """When the folder for copies cannot be made, nothing has been looked at."""
    tree.write({"a.py": "1\n"})
    tool = tree.find("gitleaks")
    assert isinstance(tool, ToolFacts)
    gone = tree.root.parent / "gone"
    call = Call(tool=tool, scratch=gone, cache=gone, stop=Stop())
    result = built_in("gitleaks").check(["a.py"], tree.place, call)
    assert "no folder for copies" in (result.problem or "")


def test_gitleaks_that_gives_up_has_a_problem(tree: ScratchTree) -> None:
    """A broken configuration, and a file that has vanished, are no pass."""
    tree.write({"a.py": "1\n"})
    gone = tree.check("gitleaks", "a.py", "gone.py")
    assert not gone.success
    assert "gone.py" in (gone.problem or "")
    tree.write({".gitleaks.toml": "broken"})
    assert "unable to load" in (tree.check("gitleaks", "a.py").problem or "")


# -- PSScriptAnalyzer ----------------------------------------------------------------------------
def install_module(tree: ScratchTree, *versions: str) -> None:
    """Put the module into the user's module folder."""
    modules = tree.root.parent / "home" / ".local" / "share" / "powershell" / "Modules"
    for version in versions:
        (modules / "PSScriptAnalyzer" / version).mkdir(parents=True)


def test_scripts_are_analysed(tree: ScratchTree) -> None:
    """Rules are style, what cannot be parsed is a syntax error, and places are taken over."""
    install_module(tree, "1.24.0")
    tree.write({"a.ps1": "Get-Item\ngci\n", "-b.psm1": "{ \n"})
    result = tree.check("powershell_pssa", "a.ps1", "-b.psm1")
    assert result.success, result.problem
    alias, syntax = result.issues
    assert (alias.path, alias.line, alias.code) == ("a.ps1", 2, "PSAvoidUsingCmdletAliases")
    assert (alias.category, alias.severity, alias.fixable) == (
        Category.STYLE,
        Severity.WARNING,
        True,
    )
    assert (syntax.path, syntax.category, syntax.severity) == (
        "./-b.psm1",
        Category.SYNTAX,
        Severity.ERROR,
    )


def test_clean_scripts_pass(tree: ScratchTree) -> None:
    """No record is no finding."""
    install_module(tree, "1.24.0")
    tree.write({"a.ps1": "Get-Item\n"})
    assert tree.found("powershell_pssa", "a.ps1") == []


def test_a_script_that_cannot_be_looked_at_is_a_problem(tree: ScratchTree) -> None:
    """The records of the other files do not make it a pass."""
    install_module(tree, "1.24.0")
    tree.write({"a.ps1": "gci\n"})
    result = tree.check("powershell_pssa", "a.ps1", "gone.ps1")
    assert "gone.ps1" in (result.problem or "")


def test_the_module_is_needed(tree: ScratchTree) -> None:
    """PowerShell alone cannot analyse; what is said tells how to install the module."""
    found = tree.find("powershell_pssa")
    assert isinstance(found, Unavailable)
    assert "PSScriptAnalyzer is not installed" in found.reason
    assert "Install-Module" in (found.hint or "")


def test_powershell_is_needed(tree: ScratchTree) -> None:
    """Without pwsh the module is of no use."""
    install_module(tree, "1.24.0")
    (tree.root.parent / "bin" / "pwsh").unlink()
    found = tree.find("powershell_pssa")
    assert isinstance(found, Unavailable)
    assert "pwsh is not installed" in found.reason


def test_the_script_counts() -> None:
    """Results made by another script are not taken over."""
    digest = blake2b(SCRIPT.read_bytes(), digest_size=10).hexdigest()
    assert digest in built_in("powershell_pssa").arguments(fix=False)


def test_the_newest_module_counts(tree: ScratchTree) -> None:
    """PowerShell loads the highest version; another one is another tool."""
    install_module(tree, "1.9.0", "1.24.0", "notes")
    first = tree.find("powershell_pssa")
    assert isinstance(first, ToolFacts)
    assert first.version == "1.24.0"
    install_module(tree, "1.25.0")
    second = tree.find("powershell_pssa")
    assert isinstance(second, ToolFacts)
    assert second.identity != first.identity


def test_modules_of_the_variable_count(tree: ScratchTree, monkeypatch: pytest.MonkeyPatch) -> None:
    """PSModulePath names further folders of modules."""
    (tree.root.parent / "mods" / "PSScriptAnalyzer" / "2.0.0").mkdir(parents=True)
    monkeypatch.setenv("PSModulePath", f":{tree.root.parent / 'mods'}")
    found = tree.find("powershell_pssa")
    assert isinstance(found, ToolFacts)
    assert found.version == "2.0.0"


def test_the_script_is_powershell() -> None:
    """What PowerShell is given parses."""
    language = pytest.importorskip("tree_sitter_powershell", reason="no parser of PowerShell")
    tree_sitter = pytest.importorskip("tree_sitter", reason="no parser of PowerShell")
    parser = tree_sitter.Parser(tree_sitter.Language(language.language()))
    assert not parser.parse(SCRIPT.read_bytes()).root_node.has_error
