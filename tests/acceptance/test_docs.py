"""The documentation is true: its commands run, its examples load, its links lead somewhere."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
import yaml

from penstock.aim_cli.main import cli as aim
from penstock.cli.main import cli
from penstock.config.circuit_breakers import load_breakers
from penstock.config.comments import blank_comments
from penstock.config.pipeline import load_pipeline
from penstock.config.profiles import load_tool_profiles
from penstock.demo.content import FILES
from penstock.model.events import EventType
from penstock.planning.load import load_bundles
from penstock.planning.specs.rules import load_rules
from penstock.registry.api import REGISTRY_FILE, REGISTRY_FOLDER, RULES_FILE
from penstock.registry.load import load_registry
from penstock.tools.toolbox import BUILT_IN
from tests.support import docpages
from tests.support.cli import git, plain_environment
from tests.support.docpages import ROOT, Block, page_id
from tests.support.venvs import make_repo_venv

PAGES = docpages.pages()
RUNNABLE = [page for page in PAGES if docpages.steps(page)]
# this page names commands that are to come, too, and has tests of its own
NAMES_OTHERS = {"docs/reference/documented-names.md"}


# -- commands ------------------------------------------------------------------------------
class Scratch:
    """A repository in which a page's commands are run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._home = folder.parent / "home"
        self._home.mkdir()
        (self._home / ".gitconfig").write_text("[user]\nname = A\nemail = a@example.invalid\n")

    def environment(self) -> dict[str, str]:
        """Return an environment without keys, in which `penstock` is on PATH."""
        mine = plain_environment()
        path = os.pathsep.join([str(Path(sys.executable).parent), mine["PATH"]])
        return {"PATH": path, "HOME": str(self._home), "COLUMNS": "80", "LC_ALL": "C.UTF-8"}

    def do(self, step: docpages.Step) -> None:
        """Write a file or run a command, which must end as the page says."""
        if step.file is not None:
            place = self.folder / step.file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(step.text, encoding="utf-8")
            return
        done = subprocess.run(
            ["bash", "-c", step.command or ""],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        code = done.returncode if done.returncode >= 0 else 128 - done.returncode  # as a shell says
        said = f"line {step.line}: $ {step.command}\n{done.stdout}{done.stderr}"
        assert code == step.code, f"exit code {code}, {said}"


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    """An empty folder with an environment that holds pytest and ruff."""
    folder = tmp_path / "shop"
    folder.mkdir()
    make_repo_venv(folder)
    return Scratch(folder)


def fill(folder: Path) -> None:
    """Make the folder a repository with a small Python package in it."""
    for name, text in FILES.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "config", "user.name", "A")
    git(folder, "config", "user.email", "a@example.invalid")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "A small shop")


@pytest.mark.parametrize("page", RUNNABLE, ids=page_id)
def test_the_commands_of_a_page_run(page: Path, scratch: Scratch) -> None:
    """Each command ends with the exit code that the page gives, 0 unless it says otherwise."""
    todo = docpages.steps(page)
    if not any(step.command and step.command.startswith("git init") for step in todo):
        fill(scratch.folder)
    for step in todo:
        scratch.do(step)
    assert undocumented_payloads(scratch.folder) == []


def undocumented_payloads(folder: Path) -> list[str]:
    """Return the events in a repository's journal whose payload has keys that no page names."""
    database = folder / "state" / "pipeline.db"
    if not database.exists():
        return []
    known = docpages.documented_events()
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT event_type, payload_json FROM events").fetchall()
    found = [(name, json.loads(payload or "{}")) for name, payload in rows]
    return [f"{name}: {sorted(keys)}" for name, keys in found if not keys.keys() <= known[name]]


def test_no_block_is_overlooked() -> None:
    """Each line that opens or closes a block, indented ones too, belongs to a block that is read."""
    for page in PAGES:
        fences = re.findall(r"^ *```", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert len(fences) == 2 * len(docpages.blocks(page)), page_id(page)


def test_the_pages_for_users_are_run() -> None:
    """The README, the tutorial and what users look up all show commands that are run."""
    how_to = (
        "plan-from-specs prepare-worktrees read-the-journal recover-a-run use-in-ci use-real-clis"
        " write-bundles"
    )
    wanted = {f"docs/how-to/{name}.md" for name in how_to.split()}
    run = {page_id(page) for page in RUNNABLE}
    assert {"README.md", "docs/tutorial/first-run.md", *wanted} <= run


# -- what commands are called --------------------------------------------------------------
def known_options(program: str, words: list[str]) -> set[str] | None:
    """Return the options of the command that a line calls, None when there is no such command."""
    command: click.Command | None = aim if program == "aim" else cli
    context = click.Context(aim if program == "aim" else cli)
    for word in words:
        if not isinstance(command, click.Group):
            break
        command = command.get_command(context, word)
    if command is None:
        return None
    return {opt for param in command.params for opt in param.opts} | {"--help", "-h", "--version"}


def shown_commands(page: Path) -> Iterator[str]:
    """Yield the command lines of penstock and aim that a page shows, run or not."""
    yield from docpages.inline_commands(page)
    for block in docpages.blocks(page):
        if block.language in ("sh", "console", "yaml"):
            for line in block.text.splitlines():
                found = re.search(r"(?:^|[$&|:] +)((?:penstock|aim) [^#|&>]*)", line)
                if found:
                    yield found[1].split(" -- ")[0]


def alternatives(line: str) -> Iterator[str]:
    """Yield the command lines that one with words such as `check|report` stands for."""
    choices = (word.split("|") for word in line.split())
    yield from (" ".join(words) for words in product(*choices))


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page_id(page) not in NAMES_OTHERS], ids=page_id
)
def test_commands_and_options_that_are_named_exist(page: Path) -> None:
    """No page names a command or option of penstock or aim that the parsers do not know."""
    wrong = []
    for line in (one for shown in shown_commands(page) for one in alternatives(shown)):
        program, *words = line.split()
        options = known_options(program, [word for word in words if not word.startswith("-")])
        given = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        if options is None or not given <= options:
            wrong.append(line)
    assert wrong == []


# -- links ---------------------------------------------------------------------------------
@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_relative_links_resolve(page: Path) -> None:
    """Each relative link leads to a file that is there, each anchor to one of its headings."""
    broken = [link for link in docpages.links(page) if not resolves(page, link)]
    assert broken == []


def resolves(page: Path, link: str) -> bool:
    """Tell whether a relative link of a page leads somewhere inside the repository."""
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    if not target.exists() or not target.is_relative_to(ROOT):
        return False
    return not anchor or anchor in docpages.anchors(target)


# -- examples ------------------------------------------------------------------------------
EXAMPLES = [
    pytest.param(block, id=f"{page_id(page)}:{block.line}")
    for page in PAGES
    for block in docpages.blocks(page)
    if block.language in ("json", "yaml", "toml", "python")
]


@pytest.mark.parametrize("block", EXAMPLES)
def test_examples_load(block: Block, tmp_path: Path) -> None:
    """What is shown as a bundle, a configuration or a program is a valid one."""
    load_example(block, tmp_path)


def load_example(block: Block, folder: Path) -> None:
    """Load an example with what reads it in earnest."""
    if block.language == "toml":
        tomllib.loads(block.text)
    elif block.language == "python":
        compile(block.text, "example", "exec")
    elif block.language == "yaml":
        load_yaml(block.text, folder)
    else:
        load_json(block.text, folder)


def load_yaml(text: str, folder: Path) -> None:
    """Load a configuration file, or any other YAML (a CI workflow) as such."""
    document = yaml.safe_load(text)
    if "categories" in document:
        (folder / "config").mkdir()
        (folder / "config" / "spec_mapping.yaml").write_text(text, encoding="utf-8")
        load_rules(folder)
        return
    if "jobs" in document:
        return
    (folder / "config").mkdir()
    if "enable_aim" in document:
        (folder / "config" / "aim_config.yaml").write_text(text, encoding="utf-8")
        load_registry(folder, environ={})
        return
    breakers = document.keys() <= {"defaults", "per_step"}
    name = "circuit_breakers" if breakers else "pipeline"
    (folder / "config" / f"{name}.yaml").write_text(text, encoding="utf-8")
    settings = load_pipeline(folder).settings
    load_breakers(folder, settings)


def load_json(text: str, folder: Path) -> None:
    """Load bundles or tool profiles, or any other JSON (output of a command) as such."""
    document: Any = msgspec.json.decode(blank_comments(text))
    first = document[0] if isinstance(document, list) and document else document
    if not isinstance(first, Mapping):
        return
    if str(first.get("id", "")).startswith("ws-"):
        (folder / "example.json").write_text(text, encoding="utf-8")
        errors = load_bundles((folder / "example.json",), folder).errors
        assert [e for e in errors if e.type == "schema"] == []
    elif {"tools", "capabilities"} & first.keys() and "apps" not in first:
        load_aim(folder, text, rules="tools" not in first)
    elif all(isinstance(v, Mapping) and {"command", "args"} & v.keys() for v in first.values()):
        (folder / "config").mkdir()
        (folder / "config" / "tool_profiles.json").write_text(text, encoding="utf-8")
        load_tool_profiles(folder)


def load_aim(folder: Path, text: str, *, rules: bool) -> None:
    """Load a registry or rules, a script that they name being there."""
    place = folder / REGISTRY_FOLDER
    for name in (REGISTRY_FILE, RULES_FILE, "AIM_adapters/AIM_house-linter.py"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
    (place / "AIM_adapters" / "AIM_house-linter.py").write_text("", encoding="utf-8")
    (place / (RULES_FILE if rules else REGISTRY_FILE)).write_text(text, encoding="utf-8")
    load_registry(folder, environ={}, others=lambda: {"house-linter", *BUILT_IN})


# -- events --------------------------------------------------------------------------------
def test_every_event_is_documented_and_no_other() -> None:
    """docs/reference/events.md lists the event types that exist."""
    assert sorted(docpages.documented_events()) == sorted(event.value for event in EventType)


# -- the demonstration ---------------------------------------------------------------------
def test_the_demo_looks_as_the_readme_shows(tmp_path: Path) -> None:
    """The README's demo has the workstreams, states, fixes, costs and commands of a real one."""
    page = ROOT / "README.md"
    shown = next(b for b in docpages.blocks(page) if (b.directive, b.value) == ("demo", "result"))
    scratch = Scratch(tmp_path / "unused")
    done = subprocess.run(
        ["penstock", "demo"],
        cwd=tmp_path,
        env=scratch.environment(),
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    assert shape(shown.text) == shape(done.stdout)


def shape(text: str) -> list[str]:
    """Return what is the same in every demonstration: times, places, ids and wrapping are not."""
    text = re.sub(r"run-\d{8}T\d{6}Z", "RUN", text)
    text = re.sub(r"\S+/penstock-demo-\w+", "FOLDER", text)
    text = re.sub(r"\S+/penstock (?=\w)", "penstock ", text)
    text = re.sub(r" [\d.]+m?s ", " TIME ", text)
    text = re.sub(r"^WORKSTREAM.*$", "", text, flags=re.MULTILINE)
    return text.split()
