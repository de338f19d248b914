"""What is taken from the configuration of Python tools: tables, formatters, patterns, parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.checks.api import Place
from penstock.checks.plugins.builtin.python_mypy.modules import excluded, parted
from penstock.checks.plugins.builtin.python_safety.plugin import nearest_requirements
from penstock.checks.plugins.parted import by_configuration, joined, with_issues
from penstock.checks.plugins.port import Call, PluginResult
from penstock.checks.plugins.pyconfig import (
    configures_ruff,
    formats_with_ruff,
    ini_section,
    sorts_with_ruff,
    toml_table,
)
from penstock.model.finding import Finding
from penstock.process.api import Stop
from tests.support.checkers import built_in, write_tree


# -- tables ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "table"),
    [
        (b"[tool.x]\na = 1\n", {"a": 1}),
        (b"[tool]\nx = 3\n", {}),
        (b"tool = 3\n", {}),
        (b"[tool.y]\n", {}),
        (b"[tool.x\n", {}),
        (b"\xff\xfe", {}),
    ],
)
def test_a_table_of_toml(text: bytes, table: dict[str, int], tmp_path: Path) -> None:
    """What is no table, or in no TOML, is empty."""
    (tmp_path / "pyproject.toml").write_bytes(text)
    assert toml_table(tmp_path / "pyproject.toml", "tool", "x") == table
    assert toml_table(tmp_path / "nowhere.toml", "tool", "x") == {}


@pytest.mark.parametrize(
    ("text", "section"),
    [
        (b"[x]\na = 50%\nb =\n  1\n  2\n", {"a": "50%", "b": "\n1\n2"}),
        (b"[x]\na = 1\n[x]\na = 2\n", {"a": "2"}),
        (b"[y]\na = 1\n", {}),
        (b"a = 1\n", {}),
        (b"\xff\xfe", {}),
    ],
)
def test_a_section_of_ini(text: bytes, section: dict[str, str], tmp_path: Path) -> None:
    """What is no section, or in no INI file, is empty; percent signs are themselves."""
    (tmp_path / "setup.cfg").write_bytes(text)
    assert ini_section(tmp_path / "setup.cfg", "x") == section
    assert ini_section(tmp_path / "nowhere.cfg", "x") == {}


# -- formatters ------------------------------------------------------------------------------------
def test_a_changed_configuration_is_seen(tmp_path: Path) -> None:
    """What was looked up once is looked up again when the file has changed."""
    assert not configures_ruff(tmp_path)
    write_tree(tmp_path, {"pyproject.toml": "[tool.ruff]\n"})
    assert formats_with_ruff(tmp_path)
    write_tree(tmp_path, {"pyproject.toml": "[tool.ruff]\n[tool.black]\n"})
    assert not formats_with_ruff(tmp_path)


@pytest.mark.parametrize(
    ("text", "sorts"),
    [
        ("[tool.ruff.lint.isort]\nknown-first-party = ['x']\n", True),
        ("  [ tool.ruff ]\n", True),
        ("[[tool.ruff.x]]\n", True),
        ("# [tool.ruff]\n", False),
        ("[tool.ruffian]\n", False),
        ("[tool.ruff]\n[tool.isort]\n", False),
    ],
)
def test_which_sections_count(text: str, sorts: bool, tmp_path: Path) -> None:
    """A table counts by its own header or that of one in it, wherever blanks are."""
    write_tree(tmp_path, {"pyproject.toml": text})
    assert sorts_with_ruff(tmp_path) is sorts


# -- parts -----------------------------------------------------------------------------------------
def result(**fields: object) -> PluginResult:
    """Return a good result, but for what is given."""
    return PluginResult(**{"plugin_id": "p", "success": True, **fields})  # type: ignore[arg-type]


def test_one_bad_part_is_a_bad_batch() -> None:
    """What goes wrong in one run is wrong with all; findings and words are joined."""
    found = Finding(tool="t", message="m")
    runs = [
        result(issues=(found,), stdout="a", returncode=0, duration_ms=2),
        result(success=False, problem="it crashed", stdout="b", returncode=3, duration_ms=3),
        result(interrupted=True),
    ]
    whole = joined("p", runs)
    assert (whole.success, whole.problem, whole.interrupted) == (False, "it crashed", True)
    assert (whole.issues, whole.stdout, whole.returncode) == ((found,), "ab", 3)
    assert (whole.duration_ms, whole.metadata) == (5, {"runs": 3})


def test_no_part_is_a_clean_batch() -> None:
    """When every file is excluded nothing is started, and nothing is wrong."""
    assert joined("p", []) == PluginResult(plugin_id="p", success=True, metadata={"runs": 0})
    found = Finding(tool="t", message="m")
    assert with_issues(joined("p", []), found).issues == (found,)


def test_files_are_parted_by_their_nearest_configuration(tmp_path: Path) -> None:
    """Files of one group share every configuration from their folder up."""
    names = ["a.py", "x/b.py", "x/y/c.py", "x/y/z/d.py", "w/e.py"]
    write_tree(tmp_path, {"x/y/setup.cfg": "", **dict.fromkeys(names, "")})
    groups = by_configuration(names, tmp_path, ("setup.cfg", "tox.ini"))
    assert groups == [["a.py", "x/b.py", "w/e.py"], ["x/y/c.py", "x/y/z/d.py"]]


# -- mypy ------------------------------------------------------------------------------------------
def test_modules_are_named_as_mypy_names_them(tmp_path: Path) -> None:
    """Folders with an __init__ are packages; a name that comes again goes to the next part."""
    files = ["a/__init__.py", "a/x.py", "b/x.py", "c/x.pyi", "x.py", "a-b/__init__.py", "a-b/x.py"]
    write_tree(tmp_path, dict.fromkeys([*files, "c/__init__.pyi"], ""))
    groups, nameless = parted(files, tmp_path)
    assert groups == [["a/__init__.py", "a/x.py", "b/x.py", "c/x.pyi"], ["x.py"]]
    assert nameless == ["a-b/__init__.py", "a-b/x.py"]


@pytest.mark.parametrize(
    ("files", "left_out"),
    [
        ({}, []),
        ({"mypy.ini": "[mypy]\n", "pyproject.toml": "[tool.mypy]\nexclude = 'a'\n"}, []),
        ({"pyproject.toml": "[tool.mypy]\nexclude = ['(', '^a/$']\n"}, ["a/x.py", "a/b/x.py"]),
        ({"pyproject.toml": "[tool.mypy]\nexclude = '/b/'\n"}, ["a/b/x.py"]),
        ({"pyproject.toml": "[tool.mypy]\nexclude = 3\n"}, []),
        ({"pyproject.toml": "[tool.x]\n", "setup.cfg": "[mypy]\nexclude = ^x\n"}, ["x.py"]),
    ],
)
def test_what_mypy_excludes(files: dict[str, str], left_out: list[str], tmp_path: Path) -> None:
    """The first configuration counts; patterns are tried on folders with a slash, and on files."""
    write_tree(tmp_path, files)
    leaves_out = excluded(tmp_path)
    assert [path for path in ("x.py", "a/x.py", "a/b/x.py") if leaves_out(path)] == left_out


# -- codespell, black, pip-audit -------------------------------------------------------------------
NAMES = ("a.lock", "docs/x.md", "docs/in/y.md", "src/docs/z.md", "b.py")


def kept(plugin_id: str, tree: Path, files: dict[str, str], names: tuple[str, ...]) -> list[str]:
    """Return the files that a plugin gives to its tool."""
    place: Place = write_tree(tree, {**files, **dict.fromkeys(names, "")})
    parts = built_in(plugin_id).parts(names, place)  # type: ignore[attr-defined]
    return sorted(path for part in parts for path in part)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, sorted(NAMES)),
        ({".codespellrc": "[codespell]\nskip = *.lock,docs\n"}, ["b.py"]),
        ({"setup.cfg": "[codespell]\nskip = ./docs\n"}, ["a.lock", "b.py", "src/docs/z.md"]),
        (
            {"pyproject.toml": "[tool.codespell]\nskip = ['docs/*', '*.lock']\n"},
            ["b.py", "src/docs/z.md"],
        ),
        (
            {
                "pyproject.toml": "[tool.codespell]\nskip = 'docs'\n",
                ".codespellrc": "[codespell]\nskip =\n  *.md,\n  *.py\n",
            },
            ["a.lock"],
        ),
    ],
)
def test_what_codespell_skips(files: dict[str, str], expected: list[str], tmp_path: Path) -> None:
    """`skip` holds for names, for folders on the way, and for paths with and without `./`."""
    assert kept("codespell", tmp_path, files, NAMES) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "[tool.codespell]\nwrite-changes = true\n"),
        (".codespellrc", "[codespell]\nwrite-changes =\n"),
        ("setup.cfg", "[codespell]\ninteractive = 3\n"),
    ],
)
def test_codespell_never_rewrites_in_a_check(name: str, text: str, tmp_path: Path) -> None:
    """A configuration that makes codespell rewrite files is a problem, and nothing is started."""
    place = write_tree(tmp_path, {name: text, "a.md": "teh"})
    call = Call(tool=None, scratch=tmp_path, cache=tmp_path, stop=Stop())
    done = built_in("codespell").check(["a.md"], place, call)
    assert done.problem is not None
    assert "it would rewrite files" in done.problem
    assert done.returncode is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[tool.black]\n", ["gen/a.py", "gen/in/b.py", "z.py"]),
        ("[tool.black]\nextend-exclude = '^/gen/in/'\n", ["gen/a.py", "z.py"]),
        ("[tool.black]\nforce-exclude = '''\n(\n  gen/  # generated\n  | z\n)\n'''\n", []),
        ("[tool.black]\nexclude = '('\n", ["gen/a.py", "gen/in/b.py", "z.py"]),
        ("[tool.black]\nexclude = 3\n", ["gen/a.py", "gen/in/b.py", "z.py"]),
    ],
)
def test_what_black_excludes(text: str, expected: list[str], tmp_path: Path) -> None:
    """Patterns are searched in the path from the configuration's folder, verbose ones too."""
    names = ("gen/a.py", "gen/in/b.py", "z.py")
    assert kept("python_black_fix", tmp_path, {"pyproject.toml": text}, names) == expected


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("a/b/x.py", "a/req.txt"),
        ("x.py", "requirements.txt"),
        ("a/b/requirements-dev.txt", "a/b/requirements-dev.txt"),
        ("c/x.py", "c/requirements.txt"),
    ],
)
def test_the_nearest_requirements(path: str, nearest: str, tmp_path: Path) -> None:
    """Each folder is looked through in the order of the names before the one above it."""
    names = ["a/req.txt", "requirements.txt", "c/requirements.txt", "c/requirements-dev.txt"]
    write_tree(tmp_path, dict.fromkeys(names, ""))
    assert nearest_requirements(path, tmp_path) == nearest


def test_no_requirements_at_all(tmp_path: Path) -> None:
    """A tree may have none."""
    assert nearest_requirements("a/b/x.py", tmp_path) is None


def test_the_documented_command_audits_requirements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`build_command` names the requirements that a file goes by; without any there is none."""
    write_tree(tmp_path, {"a/x.py": "", "a/req.txt": "", "y.py": ""})
    monkeypatch.chdir(tmp_path)
    plugin = built_in("python_safety")
    assert plugin.build_command("a/x.py")[-2:] == ["-r", "a/req.txt"]
    assert plugin.build_command("y.py") == []


def test_echo_finds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes a file and says nothing of it, but that it cannot be read."""
    write_tree(tmp_path, {"a.txt": "teh"})
    monkeypatch.chdir(tmp_path)
    echo = built_in("echo")
    assert echo.execute("a.txt").success
    assert echo.execute("a.txt").issues == ()
    assert "cannot be read" in (echo.execute("gone.txt").problem or "")
