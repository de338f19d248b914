"""A project of sixty files that is edited over and over, and small checkers to judge it with."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

FOLDERS = ("pkg", "pkg/core", "pkg/io", "src", "tests", "docs")
WORDS = ("teh", "recieve", "alpha", "beta", "gamma", "occured", "delta")
NAMES = tuple(f"name{number}" for number in range(8))
RULES = ("F", "E", "I", "W", "EXE", "INP", "F401", "N")

# Both look at their files as a linter would: the nearest configuration counts, wherever it lies.
WORD_CHECKER = """\
#!{python} -IS
import os, sys
VERSION = {version!r}
def settings(path):
    folder = os.path.dirname(os.path.abspath(path))
    while True:
        place = os.path.join(folder, ".wordcheck")
        if os.path.exists(place):
            return read(place)
        if folder == os.path.dirname(folder):
            return set()
        folder = os.path.dirname(folder)
def read(place):
    words = set()
    for line in open(place):
        key, _, value = (part.strip() for part in line.partition("="))
        other = os.path.join(os.path.dirname(place), value)
        if key == "word":
            words.add(value)
        elif key == "extend" and os.path.exists(other):
            words |= read(other)
        elif key == "list" and os.path.exists(other):
            words |= set(open(other).read().split())
    return words
found = 0
for path in sys.argv[1:]:
    if path.startswith("--"):
        continue
    words = settings(path)
    for number, line in enumerate(open(path), 1):
        for word in sorted(words & set(line.split())):
            print(f"{{path}}:{{number}}:1: warning: the word {{word}} by {{VERSION}} {{sys.argv[1]}}")
            found = 1
sys.exit(found)
"""
USE_CHECKER = """\
#!{python} -IS
import os, sys
defined = set()
for place, folders, files in os.walk("."):
    folders[:] = [name for name in folders if not name.startswith(".")]
    for name in files:
        if name.endswith(".lst"):
            lines = open(os.path.join(place, name)).read().splitlines()
            defined |= {{line[4:] for line in lines if line.startswith("def ")}}
found = 0
for path in sys.argv[1:]:
    for number, line in enumerate(open(path), 1):
        if line.startswith("use ") and line[4:].strip() not in defined:
            print(f"{{path}}:{{number}}:1: error: {{line[4:].strip()}} is defined nowhere")
            found = 1
sys.exit(found)
"""


class History:
    """A git repository in a folder of its own, and what may be done to it, in an order that a seed
    decides. `undo` goes back to an earlier state now and then, as people do."""

    def __init__(self, place: Path, seed: int) -> None:
        self.dice = random.Random(seed)
        self.outer = place
        self.root = place / "project"
        self.bin = place / "bin"
        self.plugins = place / "plugins"
        self._earlier: list[dict[str, bytes]] = []
        self._made = 0
        self.bin.mkdir(parents=True)
        self._install_checkers()
        self._make_project()

    def edit(self) -> str:
        """Do something to the project and say what."""
        edits = list(EDITS)
        if self.dice.random() < 0.2:
            self._earlier.append(self._state())
        what = self.dice.choices(edits, [EDITS[each] for each in edits])[0]
        return f"{what.__name__.strip('_')} {what(self)}"

    def files(self) -> list[str]:
        """The files below the root but git's own, relative to it."""
        found = (path for path in self.root.rglob("*") if path.is_file())
        names = (path.relative_to(self.root).as_posix() for path in found)
        return sorted(name for name in names if not name.startswith((".git/", ".state/")))

    # -- making ----------------------------------------------------------------------------
    def _make_project(self) -> None:
        self.root.mkdir()
        subprocess.run(["git", "init", "-q", str(self.root)], check=True)
        for ending, count in (("py", 30), ("txt", 10), ("md", 4), ("lst", 12)):
            for _ in range(count):
                self.create(ending)
        self.write("ruff.toml", 'lint.select = ["E", "F", "I", "EXE"]\n')
        self.write(".wordcheck", "word = teh\nlist = lists/words\n")
        self.write("lists/words", "alpha\n")
        self.write("pkg/__init__.py", "")

    def _install_checkers(self) -> None:
        self.set_version("1.0.0")
        self._script("usecheck", USE_CHECKER.format(python=sys.executable))
        self.manifest("--plain")
        depends = {"reach": "project", "project_extensions": ["lst"]}
        self._manifest("usecheck", ["lst"], ["{files}"], depends)

    def set_version(self, version: str) -> None:
        """Put a wrapper of another version in the place of a tool."""
        self._script("wordcheck", WORD_CHECKER.format(python=sys.executable, version=version))

    def manifest(self, option: str) -> None:
        """Declare the checker of words, to be called with an option."""
        depends = {"config_files": [".wordcheck"]}
        self._manifest("wordcheck", ["txt", "md"], [option, "{files}"], depends)

    def _manifest(
        self, name: str, extensions: list[str], arguments: list[str], depends: Mapping[str, object]
    ) -> None:
        tool = {"command": name, "arguments": arguments, "version_arguments": ["--version"]}
        manifest = {
            "plugin_id": name,
            "name": name,
            "file_extensions": extensions,
            "tool": tool,
            "output": {"reader": "lines"},
            "depends": depends,
        }
        place = self.plugins / name
        place.mkdir(parents=True, exist_ok=True)
        (place / "manifest.json").write_text(json.dumps(manifest))

    def _script(self, name: str, text: str) -> None:
        path = self.bin / name
        path.write_text(text)
        path.chmod(0o755)

    # -- doing -----------------------------------------------------------------------------
    def write(self, name: str, text: str) -> str:
        """Write a file of the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            path.unlink()
        path.write_text(text)
        return name

    def pick(self, *endings: str) -> Path:
        """Pick a file with one of the endings."""
        names = [name for name in self.files() if name.endswith(endings)]
        return self.root / (
            self.dice.choice(names) if names else self.create(endings[0].strip("."))
        )

    def create(self, ending: str = "") -> str:
        """Make a file."""
        ending = ending or self.dice.choice(("py", "txt", "md", "lst"))
        self._made += 1
        folder = self.dice.choice(FOLDERS)
        return self.write(f"{folder}/f{self._made}.{ending}", self.text(ending))

    def text(self, ending: str) -> str:
        """Make a text of a kind, with or without mistakes."""
        if ending == "py":
            return self._python()
        if ending == "lst":
            verbs = ("def", "use", "use")
            pairs = ((self.dice.choice(verbs), self.dice.choice(NAMES)) for _ in range(4))
            return "".join(f"{verb} {name}\n" for verb, name in pairs)
        return "\n".join(self.dice.choice((*WORDS, "plain", "text")) for _ in range(12)) + "\n"

    def _python(self) -> str:
        roll, lines = self.dice.random, []
        lines += ["#!/usr/bin/env python"] if roll() < 0.2 else []
        lines += ["import os"]
        # sorted as long as both are of others, or both are the project's own
        lines += ["", "import helper", "import requests"] if roll() < 0.5 else []
        kind = self.dice.choice(("int", "str"))
        lines += ["", "", f"def run(value: {kind}) -> {kind}:"]
        lines += [f"    # {self.dice.choice(WORDS)}"]
        lines += ["    print(os.name, undefined)" if roll() < 0.2 else "    print(os.name)"]
        lines += ["    return value", "", "", f"run({self.dice.choice(('1', repr('x')))})"]
        return "\n".join(lines) + "\n"

    def _state(self) -> dict[str, bytes]:
        return {name: (self.root / name).read_bytes() for name in self.files()}


def _change(history: History) -> str:
    path = history.pick(".py", ".txt", ".md", ".lst")
    return history.write(str(path.relative_to(history.root)), history.text(path.suffix[1:]))


def _change_in_place(history: History) -> str:
    """Change a letter, and put the time of the file back."""
    path = history.pick(".txt", ".lst")
    before, text = path.stat(), path.read_text()
    path.write_text(text.replace("name1", "name2").replace("teh", "the"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    return path.name


def _append(history: History) -> str:
    path = history.pick(".py", ".md")
    path.write_text(path.read_text() + history.dice.choice(("# recieve\n", "x = 1 \n", "\n\n")))
    return path.name


def _create(history: History) -> str:
    return history.create()


def _create_module(history: History) -> str:
    """Make or remove a module whose name others import: one of the project's own, or of others."""
    name = history.dice.choice(("helper.py", "src/helper.py", "requests.py", "src/requests/a.py"))
    if (path := history.root / name).exists():
        path.unlink()
        return f"{name} gone"
    return history.write(name, "A = 1\n")


def _delete(history: History) -> str:
    path = history.pick(".py", ".txt", ".md", ".lst")
    path.unlink()
    return path.name


def _rename(history: History) -> str:
    path = history.pick(".py", ".txt", ".md", ".lst")
    history._made += 1
    folder = history.root / history.dice.choice(FOLDERS)
    folder.mkdir(exist_ok=True)
    return str(path.rename(folder / f"moved{history._made}{path.suffix}").name)


def _exchange(history: History) -> str:
    one, two = history.pick(".txt"), history.pick(".txt", ".md")
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    return f"{one.name} {two.name}"


def _link(history: History) -> str:
    path = history.pick(".txt")
    target = history.pick(".txt", ".md")
    if path != target and not path.is_symlink() and not target.is_symlink():
        path.unlink()
        path.symlink_to(target)
    return path.name


def _touch(history: History) -> str:
    path = history.pick(".py")
    os.utime(path, None)
    return path.name


def _make_executable(history: History) -> str:
    path = history.pick(".py")
    path.chmod(path.stat().st_mode ^ 0o111)
    return path.name


def _mark_package(history: History) -> str:
    path = history.root / history.dice.choice(FOLDERS) / "__init__.py"
    if path.exists():
        path.unlink()
        return f"{path} gone"
    return history.write(path.relative_to(history.root).as_posix(), "")


def _set_rules(history: History) -> str:
    rules = sorted(history.dice.sample(RULES, 4))
    folder = history.dice.choice(("", "", "pkg/", "tests/"))
    return history.write(f"{folder}ruff.toml", f"lint.select = {json.dumps(rules)}\n")


def _extend_rules(history: History) -> str:
    """Let one configuration stand on another, or change the other."""
    rules = history.dice.sample(RULES, 2)
    history.write("config/base.toml", f"lint.select = {json.dumps(rules)}\nline-length = 60\n")
    if history.dice.random() < 0.5:
        return "config/base.toml"
    return history.write("ruff.toml", 'extend = "config/base.toml"\n')


def _set_words(history: History) -> str:
    folder = history.dice.choice(("", "", "docs/", "pkg/"))
    line = history.dice.choice(("word = beta", "list = words", "extend = ../.wordcheck", "# none"))
    return history.write(f"{folder}.wordcheck", f"{line}\nlist = lists/words\n")


def _change_list(history: History) -> str:
    name = history.dice.choice(("lists/words", "docs/words", "words"))
    return history.write(name, "\n".join(history.dice.sample(WORDS, 2)) + "\n")


def _remove_configuration(history: History) -> str:
    names = ("ruff.toml", ".wordcheck", "words", ".codespellrc", "pyproject.toml")
    found = [name for name in history.files() if name.rpartition("/")[2] in names]
    if found:
        (history.root / (name := history.dice.choice(found))).unlink()
        return name
    return "nothing"


def _configure_beyond(history: History) -> str:
    """Make or remove a configuration above the root of the repository."""
    name = history.dice.choice((".wordcheck", "ruff.toml"))
    path = history.outer / name
    if path.exists():
        path.unlink()
        return f"{name} gone"
    path.write_text("word = gamma\n" if name == ".wordcheck" else 'lint.select = ["W", "F"]\n')
    return name


def _configure_codespell(history: History) -> str:
    history.write("ignored.txt", history.dice.choice(WORDS) + "\n")
    return history.write(".codespellrc", "[codespell]\nignore-words = ignored.txt\n")


def _configure_project(history: History) -> str:
    version = history.dice.choice(("3.8", "3.12"))
    length = history.dice.choice((40, 100))
    text = f'[project]\nname = "p"\nversion = "1"\nrequires-python = ">={version}"\n'
    return history.write("pyproject.toml", f"{text}[tool.ruff]\nline-length = {length}\n")


def _change_version(history: History) -> str:
    version = f"1.{history.dice.randrange(3)}.0"
    history.set_version(version)
    return version


def _change_arguments(history: History) -> str:
    option = history.dice.choice(("--plain", "--strict"))
    history.manifest(option)
    return option


def _undo(history: History) -> str:
    """Go back to an earlier state of all files, as a checkout does."""
    if not history._earlier:
        return "nothing"
    state = history.dice.choice(history._earlier)
    for name in history.files():
        if name not in state:
            (history.root / name).unlink()
    for name, data in state.items():
        path = history.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink() or not path.exists() or path.read_bytes() != data:
            path.unlink(missing_ok=True)
            path.write_bytes(data)
    return f"{len(state)} files"


def _clear_folder(history: History) -> str:
    folder = history.root / "docs"
    shutil.rmtree(folder, ignore_errors=True)
    return "docs"


EDITS: dict[Callable[[History], str], int] = {
    _change: 14,
    _change_in_place: 6,
    _append: 8,
    _create: 6,
    _create_module: 4,
    _delete: 6,
    _rename: 6,
    _exchange: 3,
    _link: 2,
    _touch: 2,
    _make_executable: 3,
    _mark_package: 4,
    _set_rules: 5,
    _extend_rules: 4,
    _set_words: 6,
    _change_list: 6,
    _remove_configuration: 6,
    _configure_beyond: 4,
    _configure_codespell: 3,
    _configure_project: 3,
    _change_version: 3,
    _change_arguments: 2,
    _undo: 6,
    _clear_folder: 1,
}
"""What may be done, and how often against the others."""
