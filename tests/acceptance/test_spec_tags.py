"""The tags of documents through the command line and the documented scripts."""

from __future__ import annotations

import os
import signal
import stat
import sys
from pathlib import Path

import pytest

from tests.support import unprivileged
from tests.support.cli import Cli, Said, child, make_repository, plain_environment
from tests.support.repos import write

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
MAP = "docs/spec/spec_index_map.md"
DOCUMENT = """\
# Storage

- [IDX-DB-SCHEMA-01] create the tables

| tag | what |
|---|---|
| [IDX-TOOL-AIDER-60] | settings |
"""
LINES = [
    "IDX-DB-SCHEMA-01: docs/a.md:3 - create the tables",
    "IDX-TOOL-AIDER-60: docs/a.md:7 - settings",
]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with two tags."""
    folder = make_repository(tmp_path / "project")
    write(folder, {"docs/a.md": DOCUMENT})
    return folder


@pytest.fixture
def spec(repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Commands at the top of the repository."""
    monkeypatch.chdir(repo)
    return Cli(repo, capsys)


def script(repo: Path, name: str, *args: str) -> Said:
    """Run a documented script from the repository's root."""
    return child(*args, cwd=repo, program=[sys.executable, str(SCRIPTS / name)])


# -- index ---------------------------------------------------------------------------------
def test_the_index_in_both_forms(spec: Cli) -> None:
    """As text and as the documented array; `--json` is the same."""
    assert spec("spec", "index").out.splitlines() == LINES
    said = spec("spec", "index", "--format", "json")
    assert said.json[0] == {
        "idx": "IDX-DB-SCHEMA-01", "file": "docs/a.md", "line": 3, "description": "create the tables",
    }  # fmt: skip
    assert spec("spec", "index", "--json").out == said.out


def test_the_script_of_the_index(repo: Path) -> None:
    """It prints what the command prints, and knows 0 and 2."""
    assert script(repo, "generate_spec_index.py").out.splitlines() == LINES
    said = script(repo, "generate_spec_index.py", "--docs-dir", "docs", "--format", "json")
    assert [row["line"] for row in said.json] == [3, 7]
    missing = script(repo, "generate_spec_index.py", "--docs-dir", "nowhere")
    assert (missing.code, missing.out) == (2, "")
    assert "--docs-dir" in missing.err


def test_folders_count_from_where_one_stands(
    repo: Path, spec: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And files from the top; the default folder is that at the top."""
    monkeypatch.chdir(repo / "docs")
    assert spec("spec", "index").out.splitlines() == LINES
    assert spec("spec", "index", "--docs-dir", ".").out.splitlines() == LINES


def test_without_tags_nothing_is_printed(repo: Path, spec: Cli) -> None:
    """Only stderr says so; the array is empty."""
    write(repo, {"docs/a.md": "# nothing\n"})
    said = spec("spec", "index")
    assert (said.code, said.out, said.err) == (0, "", "No tags in 1 document.\n")
    assert spec("spec", "index", "--json").json == []


def test_a_plain_folder_will_do(tmp_path: Path, spec: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without git."""
    write(tmp_path / "plain", {"docs/a.md": DOCUMENT})
    monkeypatch.chdir(tmp_path / "plain")
    assert spec("spec", "index").out.splitlines() == LINES


def test_what_cannot_be_read_is_told_and_the_rest_printed(repo: Path, spec: Cli) -> None:
    """On stderr, with the place."""
    write(repo, {"docs/b.md": "[IDX-A-1]".encode("utf-16")})
    said = spec("spec", "index")
    assert said.out.splitlines() == LINES
    assert said.err.startswith("docs/b.md:1: warning: it was not read: UTF-16")


# -- map -----------------------------------------------------------------------------------
def test_the_map_is_written_once(repo: Path, spec: Cli) -> None:
    """A second time it says the same, and the index does not grow by it."""
    assert spec("spec", "map").out == f"{MAP}: 2 tags, written.\n"
    before = (repo / MAP).read_bytes()
    assert spec("spec", "map").out == f"{MAP}: 2 tags, up to date.\n"
    assert (repo / MAP).read_bytes() == before
    assert spec("spec", "index").out.splitlines() == LINES
    assert stat.S_IMODE((repo / MAP).stat().st_mode) & 0o044


def test_the_script_of_the_map(repo: Path) -> None:
    """With the documented options."""
    said = script(
        repo, "generate_spec_mapping.py", "--docs-dir", "docs", "--output", "map.md", "--verbose"
    )
    assert said.out.splitlines() == [
        "IDX-DB-SCHEMA-01: docs/a.md:3 -> src/pipeline/db.py create_schema PH-02 v1.0",
        "IDX-TOOL-AIDER-60: docs/a.md:7 -> src/pipeline/tools.py aider PH-03 v2.0",
        "map.md: 2 tags, written.",
    ]
    assert "| IDX-TOOL-AIDER-60 | settings |" in (repo / "map.md").read_text()


def test_the_map_as_json(repo: Path, spec: Cli) -> None:
    """With the rows of the index and what they map to, by the user's own table."""
    write(repo, {"config/spec_mapping.yaml": "categories: {DB: {module: src/store.py}}\n"})
    said = spec("spec", "map", "--json").json
    assert (said["output"], said["changed"]) == (MAP, True)
    assert said["tags"][0] == {
        "idx": "IDX-DB-SCHEMA-01", "description": "create the tables", "file": "docs/a.md", "line": 3,
        "module": "src/store.py", "function": "create_schema", "phase": "TBD", "version": "v1.0",
    }  # fmt: skip


def test_another_file_is_not_replaced(repo: Path, spec: Cli) -> None:
    """Unless that is wanted; one that is empty, or a mapping of old, is."""
    write(
        repo, {"mine.md": "# Mine\n", "empty.md": "\n", "old.md": "# Spec Index Mapping\n\nold\n"}
    )
    said = spec("spec", "map", "--output", "mine.md")
    assert (said.code, (repo / "mine.md").read_text()) == (2, "# Mine\n")
    assert "--force" in said.err
    for name in ("empty.md", "old.md"):
        assert spec("spec", "map", "--output", name).code == 0
    assert spec("spec", "map", "--output", "mine.md", "--force").code == 0
    assert "IDX-DB-SCHEMA-01" in (repo / "mine.md").read_text()


def test_odd_places_for_the_map_are_refused(repo: Path, spec: Cli) -> None:
    """A folder, a pipe, a file in a folder's place: a sentence and 2."""
    os.mkfifo(repo / "pipe.md")
    for target in ("docs", "pipe.md", "docs/a.md/x.md"):
        said = spec("spec", "map", "--output", target)
        assert said.code == 2, said.err
        assert said.err.startswith("Error: ")


def test_wrong_rules_are_named(repo: Path, spec: Cli) -> None:
    """Before anything is written."""
    write(repo, {"config/spec_mapping.yaml": "categories: {db: {module: a.py}}\n"})
    said = spec("spec", "map")
    assert said.code == 2
    assert "config/spec_mapping.yaml" in said.err
    assert not (repo / MAP).exists()


def test_a_closed_folder_gives_a_sentence(repo: Path) -> None:
    """And leaves nothing behind."""
    (repo / "docs").chmod(0o555)
    try:
        program = [*unprivileged.prefix(), sys.executable, "-m", "penstock"]
        said = child("spec", "map", cwd=repo, program=program)
    finally:
        (repo / "docs").chmod(0o755)
    assert said.code == 2
    assert "cannot write" in said.err
    assert [path.name for path in (repo / "docs").iterdir()] == ["a.md"]


LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
from penstock.cli.main import main
sys.exit(main(["spec", "map"]))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="this system has no limit on files")
def test_a_full_disk_leaves_the_old_map(repo: Path) -> None:
    """Whole, with a sentence that says what happened."""
    write(repo, {MAP: "# Spec Index Mapping\n\nold\n"})
    said = child("-c", LIMITED, cwd=repo, program=[sys.executable], env=plain_environment())
    assert said.code == 2, said.err
    assert (repo / MAP).read_text() == "# Spec Index Mapping\n\nold\n"
    assert [path.name for path in (repo / MAP).parent.iterdir()] == [Path(MAP).name]


# -- check ---------------------------------------------------------------------------------
def test_the_check_tells_and_exits_1(spec: Cli) -> None:
    """A line for each problem, a hint once, the sum at the end."""
    said = spec("spec", "check")
    assert said.code == 1
    lines = said.out.splitlines()
    assert lines[0].startswith("docs/a.md:3: error: IDX-DB-SCHEMA-01 maps to src/pipeline/db.py")
    assert [line for line in lines if "hint:" in line] == [lines[1]]
    assert lines[-1] == "2 tags in 1 document: 2 problems."


def test_the_check_is_content_once_the_modules_are_there(repo: Path, spec: Cli) -> None:
    """Exit code 0, also with warnings."""
    write(repo, {"src/pipeline/db.py": "", "src/pipeline/tools.py": "", "docs/b.md": "[idx-a-1]\n"})
    said = spec("spec", "check", "--json")
    assert (said.code, said.json["ok"], said.json["tags"], said.json["files"]) == (0, True, 2, 2)
    (problem,) = said.json["problems"]
    assert (problem["code"], problem["file"], problem["line"]) == ("no-tag", "docs/b.md", 1)
