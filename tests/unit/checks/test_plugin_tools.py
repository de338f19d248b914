"""Finding tools: their versions without a start, and every change of them seen."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.checks.api import Place
from penstock.checks.plugins.port import ToolFacts, Unavailable
from penstock.checks.plugins.toolfind import tool_environment
from tests.support import unprivileged
from tests.support.plugins import Bench
from tests.support.repofiles import write_files

SCRIPT = "#!{python}\nprint('must not be started')\nraise SystemExit(9)\n"
Change = Callable[[Bench], object]


@pytest.fixture(name="bench")
def _bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Return a bench whose machine is the only one on PATH."""
    bench = Bench(tmp_path.resolve())
    for name, value in bench.machine.environ.items():
        monkeypatch.setenv(name, value)
    return bench


def executable(path: Path, text: str) -> Path:
    """Write an executable."""
    write_files(path.parent, {path.name: text})
    path.chmod(0o755)
    return path


def venv(prefix: Path, version: str = "2.4.3", dist: str = "Spell_Check") -> Path:
    """Make an environment with the tool of a Python package; return the tool."""
    site = prefix / "lib" / "python3.11" / "site-packages"
    write_files(site / f"{dist}-{version}.dist-info", {"RECORD": f"{version}\n"})
    python = executable(prefix / "bin" / "python", "")
    return executable(prefix / "bin" / "spell", SCRIPT.format(python=python))


def npm(folder: Path, version: str = "3.1.0", name: str = "@words/spell") -> Path:
    """Make a node_modules with the tool of an npm package; return its link in `.bin`."""
    package = folder / "node_modules" / name
    write_files(package, {"package.json": json.dumps({"name": name, "version": version})})
    script = executable(package / "bin" / "cli.js", "#!/usr/bin/env node\n")
    link = folder / "node_modules" / ".bin" / "spell"
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(os.path.relpath(script, link.parent))
    return link


def find(bench: Bench, **tool: Any) -> ToolFacts:
    """Find the tool `spell`."""
    return bench.find(bench.plugin(tool=tool))


def lost(bench: Bench, **tool: Any) -> Unavailable:
    """Look for the tool `spell`, which cannot be had."""
    found = bench.plugin(tool=tool).find_tool(bench.place, bench.memory)
    assert isinstance(found, Unavailable), found
    return found


# -- versions that need no start -----------------------------------------------------------------
def test_a_python_package_states_the_version(bench: Bench) -> None:
    """The metadata of the environment that holds the script tells; nothing is started or asked."""
    tool = venv(bench.tree / ".venv")
    found = find(bench, distribution="spell-check")
    assert (found.executable, found.version) == (tool, "2.4.3")
    assert bench.memory.asked == []


def test_a_linked_script_leads_to_its_environment(bench: Bench) -> None:
    """A link on PATH to a script in an environment of its own is followed, as pipx makes them."""
    (bench.machine.bin / "spell").symlink_to(venv(bench.folder / "pipx" / "venvs" / "spell"))
    assert find(bench, distribution="spell-check").version == "2.4.3"


def test_the_interpreter_leads_to_the_package(bench: Bench) -> None:
    """A script elsewhere is looked up where the Python of its first line has its packages."""
    venv(bench.folder / "env")
    python = bench.folder / "env" / "bin" / "python"
    executable(bench.machine.bin / "spell", SCRIPT.format(python=python))
    assert find(bench, distribution="spell-check").version == "2.4.3"


def test_several_pythons_in_one_prefix_are_asked(bench: Bench) -> None:
    """Where packages of two versions could be meant, the tool is asked."""
    prefix = bench.machine.bin.parent
    for python, version in (("python3.11", "1.0"), ("python3.12", "2.0")):
        place = prefix / "lib" / python / "site-packages" / f"spell-{version}.dist-info"
        write_files(place, {"RECORD": ""})
    bench.machine.program("spell", "echo spell 2.0")
    assert find(bench, distribution="spell").version == "2.0"
    assert bench.machine.times_asked("spell") == 1


def test_debian_packages_count(bench: Bench) -> None:
    """The egg-info of a distribution's own packages states the version too."""
    site = bench.machine.bin.parent / "lib" / "python3" / "dist-packages"
    write_files(site / "spell-2.2.4-py3.11.egg-info", {"PKG-INFO": ""})
    bench.machine.program("spell", "exit 9")
    assert find(bench, distribution="spell").version == "2.2.4"


def test_an_npm_package_states_the_version(bench: Bench) -> None:
    """The package.json above the linked script tells."""
    link = npm(bench.tree)
    found = find(bench, package="@words/spell")
    assert (found.executable, found.version) == (link, "3.1.0")


def test_a_shell_shim_in_bin_leads_to_its_package(bench: Bench) -> None:
    """A script in `.bin`, as pnpm writes them, belongs to the package beside it."""
    npm(bench.tree).unlink()
    executable(bench.tree / "node_modules" / ".bin" / "spell", "#!/bin/sh\nexit 9\n")
    assert find(bench, package="@words/spell").version == "3.1.0"


@pytest.mark.parametrize("text", ["{", "[]", '{"name": 5}', '{"name": "other", "version": "9"}'])
def test_a_package_that_states_nothing_is_asked(bench: Bench, text: str) -> None:
    """A package.json that is broken or of another package is no source of a version."""
    write_files(bench.machine.bin, {"package.json": text})
    bench.machine.program("spell", "echo 4.5.6")
    assert find(bench, package="spell").version == "4.5.6"


def test_a_folder_for_a_package_file_is_passed_over(bench: Bench) -> None:
    """A folder called package.json is no package."""
    (bench.machine.bin / "package.json").mkdir()
    bench.machine.program("spell", "echo 4.5.6")
    assert find(bench, package="spell").version == "4.5.6"


def test_no_package_of_that_name_is_asked(bench: Bench) -> None:
    """Where no metadata of the named packages is found, the tool is asked."""
    (bench.machine.bin.parent / "lib" / "python3.11").mkdir(parents=True)
    (bench.machine.bin.parent / "lib" / "python3.11" / "site-packages").touch()
    bench.machine.program("spell", "echo 4.5.6")
    assert find(bench, distribution="spell", package="spell").version == "4.5.6"


# -- versions that are asked for -----------------------------------------------------------------
def test_a_version_is_asked_for_once(bench: Bench) -> None:
    """A tool without metadata is started once; then its version is remembered."""
    bench.machine.program("spell", "echo spell version 0.11.0-rc1 of 2026")
    first, second = find(bench), find(bench)
    assert first == second
    assert first.version == "0.11.0-rc1"
    assert bench.machine.times_asked("spell") == 1


def test_version_arguments_are_used(bench: Bench) -> None:
    """Tools with a way of their own to tell the version are asked in that way."""
    bench.machine.program("spell", 'echo "$@ 1.5"')
    assert find(bench, version_arguments=("version", "1.4")).version == "1.4"


@pytest.mark.parametrize(
    ("script", "version"),
    [
        ("echo v1.2", "1.2"),
        ("echo 'on stderr 7.8.9' >&2", "7.8.9"),
        ("echo spell x2; echo more", "spell x2"),
        ("printf '\\033[1mbold\\033[0m\\n'", "bold"),
        ("printf '\\377\\376 rubbish'", ""),
        ("printf 'a\\302\\233b'", ""),
        ("echo", ""),
        ("exit 3", ""),
        ("kill -9 $$", ""),
        ("head -c 3000000 /dev/zero | tr '\\0' x; echo", "x" * 40),
    ],
)
def test_whatever_a_tool_answers_is_bounded(bench: Bench, script: str, version: str) -> None:
    """The first number that looks like a version counts, else the first line; else nothing."""
    bench.machine.program("spell", script)
    assert find(bench).version == version


@pytest.mark.parametrize(("script", "times"), [("exit 2", 1), ("kill -9 $$", 2)])
def test_no_answer_is_an_answer(bench: Bench, script: str, times: int) -> None:
    """A tool without a version is asked once; one that was killed is asked again another time."""
    bench.machine.program("spell", script)
    assert [find(bench).version, find(bench).version] == ["", ""]
    assert bench.machine.times_asked("spell") == times


def test_a_tool_need_not_be_asked(bench: Bench) -> None:
    """A manifest without version arguments has its tool never asked."""
    bench.machine.program("spell")
    assert find(bench, version_arguments=()).version == ""
    assert bench.machine.times_asked("spell") == 0


# -- every change is seen ------------------------------------------------------------------------
def _edit_wrapper(bench: Bench) -> None:
    path = bench.machine.bin / "spell"
    before = path.stat()
    path.write_text(path.read_text(encoding="utf-8").replace("1.0", "1.1"), encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _replace_behind(bench: Bench) -> None:
    executable(bench.folder / "opt" / "real", "another one")


def _move_ahead(bench: Bench) -> None:
    executable(bench.tree / ".venv" / "bin" / "spell", "#!/bin/sh\necho 1.0\n")


def _touch(bench: Bench) -> None:
    os.utime(bench.machine.bin / "spell", ns=(1, 1))


@pytest.mark.parametrize("change", [_edit_wrapper, _replace_behind, _move_ahead, _touch])
def test_a_changed_tool_has_another_identity(bench: Bench, change: Change) -> None:
    """A wrapper's text, the program it names, another place or time: each makes another tool."""
    real = executable(bench.folder / "opt" / "real", "binary")
    bench.machine.program("spell", f'[ "$1" = --version ] && echo 1.0 && exit; exec "{real}" "$@"')
    before = find(bench)
    change(bench)
    assert find(bench).identity != before.identity


def test_an_upgraded_python_package_is_seen(bench: Bench) -> None:
    """After an upgrade the version and the identity are others, though the script is the same."""
    prefix = bench.tree / ".venv"
    venv(prefix)
    before = find(bench, distribution="spell-check")
    site = prefix / "lib" / "python3.11" / "site-packages"
    (site / "Spell_Check-2.4.3.dist-info").rename(site / "Spell_Check-2.5.0.dist-info")
    os.utime(site, ns=(5, 5))
    after = find(bench, distribution="spell-check")
    assert (after.version, after.identity == before.identity) == ("2.5.0", False)


def test_a_package_installed_again_is_seen(bench: Bench) -> None:
    """The same version from another source has another record, and is another tool."""
    prefix = bench.tree / ".venv"
    venv(prefix)
    before = find(bench, distribution="spell-check")
    (record,) = prefix.glob("lib/*/site-packages/*/RECORD")
    record.write_text("other contents\n", encoding="utf-8")
    assert find(bench, distribution="spell-check").identity != before.identity


def test_an_upgraded_npm_package_is_seen(bench: Bench) -> None:
    """A package.json with another version makes another tool."""
    npm(bench.tree)
    before = find(bench, package="@words/spell")
    npm(bench.tree, "3.2.0")
    after = find(bench, package="@words/spell")
    assert (after.version, after.identity == before.identity) == ("3.2.0", False)


def test_a_linked_environment_is_the_same_tool(bench: Bench) -> None:
    """A worktree with a link to the repository's environment has the same tool, and its results."""
    venv(bench.folder / "root" / ".venv")
    (bench.tree / ".venv").symlink_to(bench.folder / "root" / ".venv")
    here = find(bench, distribution="spell-check")
    (bench.tree / ".venv").unlink()
    there = bench.plugin(tool={"distribution": "spell-check"}).find_tool(
        Place(tree=bench.tree, root=bench.folder / "root"), bench.memory
    )
    assert isinstance(there, ToolFacts)
    assert there.identity == here.identity


def test_a_long_script_is_no_wrapper(bench: Bench) -> None:
    """What a large script names is its own affair; its text still counts."""
    real = executable(bench.folder / "real", "binary")
    path = bench.machine.program("spell", f"echo 1.0\nexit\n{real}\n" + "# filler\n" * 4000)
    before = find(bench)
    executable(real, "another one")
    assert find(bench) == before
    path.write_text(path.read_text(encoding="utf-8") + "#\n", encoding="utf-8")
    assert find(bench).identity != before.identity


def test_nothing_changed_is_the_same_tool(bench: Bench) -> None:
    """The identity holds as long as nothing changes, whoever asks."""
    venv(bench.tree / ".venv")
    assert find(bench, distribution="spell-check") == find(bench, distribution="spell-check")


# -- version managers ----------------------------------------------------------------------------
def pyenv(bench: Bench, *versions: str) -> Path:
    """Put shims on PATH that choose by the folder's `.python-version`, as pyenv has them."""
    base = bench.machine.bin.parent / "pyenv"
    for version in versions:
        executable(base / "versions" / version / "bin" / "spell", f"#!/bin/sh\necho {version}\n")
    chosen = f"exec {base}/versions/$(cat .python-version)/bin/spell"
    shim = executable(
        base / "shims" / "spell", f"#!/bin/sh\necho spell >>{_log(bench)}\n{chosen}\n"
    )
    os.environ["PATH"] = f"{shim.parent}:{os.environ['PATH']}"
    return base


def _log(bench: Bench) -> Path:
    return bench.machine.asked


def test_a_shim_is_what_it_chooses(bench: Bench) -> None:
    """Behind a shim, another choice of the folder is another tool, and remembered as well."""
    pyenv(bench, "3.1.0", "3.2.0")
    choice = bench.tree / ".python-version"
    choice.write_text("3.1.0", encoding="utf-8")
    first = [find(bench), find(bench)]
    choice.write_text("3.2.0\n", encoding="utf-8")
    second = find(bench)
    assert first[0] == first[1]
    assert (first[0].version, second.version) == ("3.1.0", "3.2.0")
    assert bench.machine.times_asked("spell") == 2


def test_an_upgrade_behind_a_shim_is_seen(bench: Bench) -> None:
    """A program that was installed anew behind the shim makes another tool."""
    base = pyenv(bench, "3.1.0")
    (bench.tree / ".python-version").write_text("3.1.0", encoding="utf-8")
    before = find(bench)
    executable(base / "versions" / "3.1.0" / "bin" / "spell", "#!/bin/sh\necho 9.9.9\n")
    after = find(bench)
    assert (after.version, after.identity == before.identity) == ("9.9.9", False)


def test_a_shim_without_a_program_is_no_tool(bench: Bench) -> None:
    """A shim whose program is not installed says so with 127, and the plugin is unavailable."""
    bench.machine.program("spell", "echo 'spell: command not found' >&2; exit 127")
    found = lost(bench, install="pip install spell")
    assert "spell: command not found" in found.reason
    assert found.hint == "pip install spell"


def test_a_manager_that_hides_its_choice_is_always_asked(bench: Bench) -> None:
    """Where nothing shows what a shim would start, it is asked each time, and its answer counts."""
    hidden = executable(bench.folder / "mise", "#!/bin/sh\ncat version\n")
    (bench.machine.bin / "spell").symlink_to(hidden)
    identities = set()
    for version in ("1.1", "1.2", "1.2"):
        (bench.tree / "version").write_text(version, encoding="utf-8")
        identities.add((find(bench).version, find(bench).identity))
    assert len(identities) == 2
    assert bench.memory.given == {}


# -- what is not there ---------------------------------------------------------------------------
def test_a_missing_tool_says_how_to_install_it(bench: Bench) -> None:
    """Without the program the plugin is unavailable, with the manifest's hint or its name."""
    assert lost(bench, install="apt install spell").hint == "apt install spell"
    assert lost(bench) == Unavailable(reason="spell is not installed", hint="install spell")


def test_a_lost_interpreter_is_told(bench: Bench) -> None:
    """A script whose Python is gone is unavailable, before anything is started."""
    executable(bench.machine.bin / "spell", SCRIPT.format(python="/gone/bin/python"))
    assert "the interpreter /gone/bin/python that " in lost(bench).reason


def test_a_pipe_for_a_program_hangs_nobody(bench: Bench) -> None:
    """A FIFO that is executable is no program."""
    os.mkfifo(bench.machine.bin / "spell", 0o755)
    assert lost(bench).reason == f"{bench.machine.bin / 'spell'} cannot be read: it is no file"


def test_a_program_that_may_only_be_started(bench: Bench) -> None:
    """A program that we may start and not read is a tool by its place, size and time."""
    shutil.copy("/bin/echo", bench.machine.bin / "spell")
    (bench.machine.bin / "spell").chmod(0o111)
    code = (
        "import sys; from pathlib import Path\n"
        "from penstock.checks.plugins.evidence import traces_of\n"
        "from penstock.model.manifest import ToolSpec\n"
        "print(traces_of(Path(sys.argv[1]), ToolSpec(command='spell'), Path()).lines)"
    )
    said = unprivileged.python(code, [bench.machine.bin / "spell"], cwd=bench.tree)
    assert str(bench.machine.bin / "spell") in said


def test_a_program_that_cannot_be_started_is_told(bench: Bench) -> None:
    """A file that is executable and no program is unavailable, with the system's reason."""
    executable(bench.machine.bin / "spell", "\x7fELF and nothing else")
    assert "Exec format error" in lost(bench).reason


def test_a_tool_that_is_not_configured_is_unavailable(bench: Bench) -> None:
    """A plugin that needs a configuration says which files would do."""
    bench.machine.program("spell")
    found = lost(bench, needs_config=("spell.cfg", ".spellrc"))
    assert found.hint == "add one of spell.cfg, .spellrc"
    write_files(bench.tree, {".spellrc": ""})
    assert find(bench, needs_config=("spell.cfg", ".spellrc")).version == "1.2.3"


def test_a_tool_in_the_tree_is_found_by_its_path(bench: Bench) -> None:
    """A command with a slash is taken from the tree."""
    tool = executable(bench.tree / "tools" / "spell", "#!/bin/sh\necho 1.0\n")
    assert find(bench, command="tools/spell").executable == tool


def test_the_environment_of_a_tool(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """One locale, no colours, no import path, and the proxies for those that need the network."""
    given = {"PYTHONPATH": "/x", "https_proxy": "http://p", "ALL_PROXY": "p", "LC_ALL": "de_DE"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    env = tool_environment(bench.place)
    assert (env["LC_ALL"], env["LANG"], env["NO_COLOR"]) == ("C", "C", "1")
    assert not {"PYTHONPATH", "https_proxy", "ALL_PROXY", "LANGUAGE"} & env.keys()
    online = tool_environment(bench.place, network=True)
    assert (online["https_proxy"], online["ALL_PROXY"]) == ("http://p", "p")
