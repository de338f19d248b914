"""Bad input to `penstock check`: each a clear line, the rest still checked, the exit code right."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support import unprivileged
from tests.support.cli import PENSTOCK, Said, child, plain_environment
from tests.support.finder import MANIFEST, Project

GOOD = "good.txt: PASSED | errors=0 warnings=0\n"
BAD = "bad.txt:2:1: error W1 a bad word ["


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A repository with one good and one bad file."""
    made = Project(tmp_path)
    made.write(good="all is well\n", bad="one\nBAD\n")
    return made


def checked(project: Project, *paths: str, code: int) -> Said:
    """Check a path beside a good and a bad file; these must be judged as ever."""
    said = project.check("-v", *paths, "good.txt", "bad.txt")
    assert said.code == code, said
    assert GOOD in said.out
    assert BAD in said.out
    assert "Traceback" not in said.err
    return said


def line_with(said: Said, words: str) -> str:
    """The one line that has these words in it."""
    lines = [line for line in (said.out + said.err).splitlines() if words in line]
    assert len(lines) == 1, said
    return lines[0]


def declare(project: Project, plugin_id: str, program: str, **more: Any) -> None:
    """Declare a checker of `.txt` files by the text of its program; `tool` has more about it."""
    version = '[ "$1" != --version ] || { echo 1.0; exit 0; }'
    project._program(plugin_id, f"#!/bin/sh\n{version}\n{program}\n")
    tool = {"command": plugin_id, **more.pop("tool", {})}
    project.declare({**MANIFEST, "plugin_id": plugin_id, "tool": tool, **more})


# -- paths that are mistakes ---------------------------------------------------------------
def test_a_missing_path(project: Project) -> None:
    """A path that is not there is exit code 2."""
    said = checked(project, "none.txt", code=2)
    assert "there is no such file" in line_with(said, "none.txt")


@pytest.mark.parametrize("path", ["/etc/passwd", "..", "../outside.txt"])
def test_a_path_outside_of_the_root(project: Project, path: str) -> None:
    """A path outside of the repository is exit code 2, and is not read."""
    (project.root.parent / "outside.txt").write_text("BAD\n")
    said = checked(project, path, code=2)
    assert "outside of" in line_with(said, f"{path}: ")


def test_a_pipe(project: Project) -> None:
    """A FIFO is named as one, and nobody waits for a writer."""
    os.mkfifo(project.root / "pipe.txt")
    assert "a pipe" in line_with(checked(project, "pipe.txt", code=2), "pipe.txt")
    assert "pipe.txt" not in project.check("-v").out


def test_a_socket_and_a_device(project: Project) -> None:
    """Other things that are no files are named as what they are."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(project.root / "sock.txt"))
        assert "a socket" in line_with(checked(project, "sock.txt", code=2), "sock.txt")
    (project.root / "null.txt").symlink_to(os.devnull)
    assert "null.txt" in checked(project, "null.txt", code=2).err + project.check("null.txt").out


@pytest.mark.parametrize("name", ["", "x" * 5000, "a\nb.txt/"])
def test_what_can_be_no_name(project: Project, name: str) -> None:
    """Empty and endless names are mistakes, not crashes."""
    said = checked(project, name, code=2)
    assert len((said.out + said.err).splitlines()) < 13


# -- files that cannot be judged -----------------------------------------------------------
def test_an_unreadable_file(project: Project) -> None:
    """A file that may not be read fails, whether it was named or found."""
    project.write(secret="s\n")
    (project.root / "secret.txt").chmod(0)
    program = (*unprivileged.prefix(), *PENSTOCK)
    for paths in (["secret.txt", "good.txt"], []):
        said = child("check", *paths, cwd=project.root, env=project.env, program=program)
        assert "permission denied" in line_with(said, "cannot be read")
        assert (said.code, "secret.txt: FAILED" in said.out) == (1, True)


def test_an_unreadable_folder(project: Project) -> None:
    """A folder that may not be listed fails when it was named."""
    project.write(deep__a="a\n")
    (project.root / "deep").chmod(0)
    program = (*unprivileged.prefix(), *PENSTOCK)
    said = child(
        "check", "-v", "deep", "good.txt", cwd=project.root, env=project.env, program=program
    )
    (project.root / "deep").chmod(0o755)
    assert (said.code, GOOD in said.out) == (1, True)
    assert "permission denied" in line_with(said, "cannot be listed")


def test_a_file_of_a_gigabyte(project: Project) -> None:
    """A huge file is refused at once when it was named, and only told of with -v when it was not."""
    with (project.root / "big.txt").open("wb") as file:
        file.truncate(1 << 30)
    began = time.monotonic()
    said = checked(project, "big.txt", code=1)
    assert time.monotonic() - began < 20
    assert "too large: 1,073.7 MB, the limit is 10 MB" in line_with(said, "too large")
    project.write(bad="mended\n")
    assert project.check().code == 0
    assert "too large" in project.check("-v").out + project.check("-v").err


def test_a_binary(project: Project) -> None:
    """A file that is no text is no matter for a checker of any file, and breaks none that asks for it."""
    declare(
        project,
        "any",
        'for f; do case $f in *.txt) ;; *) echo "$f:1:1: W2 x"; esac; done',
        file_extensions=["*"],
    )
    for name in ("logo.png", "logo.txt"):
        (project.root / name).write_bytes(b"\x89PNG\r\n\x1a\n\0\0BAD\0" * 50)
    said = checked(project, "logo.png", "logo.txt", code=1)
    assert "logo.png: PASSED | errors=0 warnings=1" in said.out
    assert "logo.txt: FAILED" in said.out
    assert "W2" not in said.out


def test_a_text_that_is_no_utf_8(project: Project) -> None:
    """Bytes that are no UTF-8 are checked like any others."""
    (project.root / "latin.txt").write_bytes(b"caf\xe9\nBAD \xff\n")
    said = checked(project, "latin.txt", code=1)
    assert "latin.txt:2:1: error W1" in said.out


def test_loops_and_links_that_lead_nowhere(project: Project) -> None:
    """Links that end nowhere fail with the reason."""
    (project.root / "one.txt").symlink_to("two.txt")
    (project.root / "two.txt").symlink_to("one.txt")
    (project.root / "lost.txt").symlink_to("nowhere")
    assert "loop of links" in line_with(checked(project, "one.txt", code=1), "loop")
    assert "not there" in line_with(checked(project, "lost.txt", code=1), "nowhere")
    assert project.check("good.txt", ".").code == 1


def test_a_link_that_leads_out(project: Project) -> None:
    """What a link outside of the repository means is neither read nor shown."""
    (project.root.parent / "secret.txt").write_text("BAD secret\n")
    (project.root / "link.txt").symlink_to("../secret.txt")
    said = checked(project, "link.txt", code=1)
    assert "leads out of" in line_with(said, "leads out")
    assert "link.txt:1" not in project.check().out


# -- names ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name", ["it's.txt", 'a"b".txt', "a b.txt", "$(touch x).txt", "ü日本.txt", "*.txt", "@f.txt"]
)
def test_odd_names(project: Project, name: str) -> None:
    """Quotes, spaces and other scripts reach the checker as they are."""
    (project.root / name).write_text("BAD\n")
    said = checked(project, name, code=1)
    assert f"{name}:1:1: error W1" in said.out
    assert not (project.root / "x").exists()


def test_a_leading_dash(project: Project) -> None:
    """A file that is called like an option is checked, found or named after `--`."""
    (project.root / "--version.txt").write_text("BAD\n")
    for said in (
        project.check(),
        project.check("--", "--version.txt"),
        project.check("./--version.txt"),
    ):
        assert "--version.txt:1:1: error W1" in said.out
        assert said.code == 1


@pytest.mark.parametrize(
    ("name", "told"),
    [(b"a\nb.txt", "a\\nb.txt"), (b"caf\xe9.txt", "caf\\xe9.txt"), (b"\x1b[31m.txt", "\\x1b[31m")],
)  # fmt: skip
def test_names_that_would_break_a_line(project: Project, name: bytes, told: str) -> None:
    """Control characters and invalid UTF-8 in a name are refused, and shown escaped on one line."""
    path = os.fsdecode(name)
    (project.root / path).write_text("BAD\n")
    said = checked(project, path, code=1)
    assert "tools cannot be given a name" in line_with(said, "tools cannot")
    assert told in said.out
    assert "\x1b" not in said.out + said.err


@pytest.mark.parametrize("style", ["json", "sarif", "github", "junit"])
def test_every_format_tells_of_bad_names(project: Project, style: str) -> None:
    """Output for machines is whole, whatever files are called."""
    names = (b"a\nb.txt", b"caf\xe9.txt", b"a<&\"'.txt", b"%0A,::.txt")
    for name in names:
        (project.root / os.fsdecode(name)).write_text("BAD\n")
    said = project.check("--format", style, *map(os.fsdecode, names), "good.txt", "none.txt")
    assert said.code == 2
    assert "Traceback" not in said.err
    readers: dict[str, Callable[[str], object]] = {"json": json.loads, "sarif": json.loads}
    readers.get(style, str)(said.out)
    assert "caf" in said.out


# -- while it runs -------------------------------------------------------------------------
DELETING = """rm -f "$HOME/../project/gone.txt"
for f; do [ -e "$f" ] || { echo "$f: no such file" >&2; exit 2; }; done"""
PIPING = """f="$HOME/../project/gone.txt"; rm -f "$f"; mkfifo "$f"; exit 0"""


def test_a_file_that_is_deleted_while_it_runs(project: Project) -> None:
    """The file fails with the reason, the others are judged by the same checker."""
    project.write(gone="here\n")
    declare(project, "deleter", DELETING)
    said = checked(project, "gone.txt", code=1)
    assert "gone.txt: FAILED" in said.out
    told = [line for line in said.out.splitlines() if "gone.txt: error" in line]
    assert told
    assert all("o such file" in line or "no longer there" in line for line in told)


def test_a_file_that_becomes_a_pipe_while_it_runs(project: Project) -> None:
    """Nobody waits for the writer of a FIFO that was a file a moment ago."""
    project.write(gone="BAD\n")
    declare(project, "piper", PIPING)
    said = project.check("--only", "piper", "gone.txt", "good.txt")
    assert said.code in (0, 1)
    assert GOOD in said.out
    assert "Traceback" not in said.err


@pytest.mark.parametrize("name", ["pyproject.toml", "setup.cfg", "package.json", ".codespellrc"])
def test_a_configuration_that_is_a_pipe(project: Project, name: str) -> None:
    """A FIFO in the place of a configuration file keeps nobody waiting."""
    (project.root / "x.py").write_text("x = 1\n")
    os.mkfifo(project.root / name)
    checked(project, code=1)


def test_a_file_that_changes_while_it_runs_is_not_kept(project: Project) -> None:
    """What was found in a file that changed meanwhile is told, and looked for again next time."""
    declare(project, "editor", 'echo BAD >>"$HOME/../project/good.txt"; exit 0')
    project.check("good.txt")
    assert "good.txt:2" in project.check("good.txt", "--skip", "editor").out


# -- manifests and plugins that lie --------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "manifest"),
        ("[]", "manifest"),
        ('{"plugin_id": "liar"}', "manifest"),
        ('{"plugin_id": "other", "name": "x"}', "liar"),
        ('{"plugin_id": "liar", "name": "x", "tool": {"command": 3}}', "manifest"),
        ('{"plugin_id": "liar", "name": "x", "colour": "red"}', "manifest"),
        ("\xff\xfe", "manifest"),
    ],
)
def test_a_manifest_that_is_wrong(project: Project, text: str, why: str) -> None:
    """A manifest that cannot be taken is named with its mistake, and the others serve."""
    place = project._plugins / "liar"
    place.mkdir()
    (place / "manifest.json").write_text(text, encoding="latin-1")
    said = project.check("good.txt", "bad.txt")
    assert said.code in (1, 2)
    assert (GOOD in said.out, BAD in said.out) == (True, True)
    assert why in (said.out + said.err)
    assert str(place) in said.out + said.err


JSON = {"reader": "json", "mapping": {"items": "found", "path": "file", "message": "text"}}


@pytest.mark.parametrize(
    ("program", "more", "why"),
    [
        ("exit 0", {"output": JSON}, "nothing that could be read"),
        ("echo rubbish", {"output": {"reader": "sarif"}}, "nothing that could be read"),
        ("exit 1", {}, "told of nothing"),
        ("exit 77", {}, "exit code 77"),
        ("kill -SEGV $$", {}, "SIGSEGV"),
        ("echo bad.txt:1:1: W1 x; exit 1", {"tool": {"findings_codes": [5]}}, "exit code 1"),
        ("sleep 60", {"tool": {"timeout_s": 0.5}}, "did not end within 0.5 s"),
        ("yes | head -c 60000000", {}, "more than can be read"),
    ],
)
def test_a_tool_that_fails_is_never_a_pass(
    project: Project, program: str, more: dict[str, Any], why: str
) -> None:
    """A crash, a time limit and unreadable output are errors of every file, today and tomorrow."""
    declare(project, "liar", program, **more)
    for _ in range(2):
        said = project.check("good.txt")
        assert said.code == 1
        assert "good.txt: FAILED" in said.out
        assert "plugin-failed" in said.out
        assert why in " ".join(said.out.split())


def test_a_tool_that_tells_of_other_files(project: Project) -> None:
    """Findings in files that nobody asked about, outside or not there, are left out."""
    lines = "\\n".join(
        f"{p}:1:1: W1 x" for p in ("/etc/passwd", "../x", "bad.txt", "no", "good.txt")
    )
    declare(project, "liar", f"printf '{lines}\\n'; exit 1")
    said = project.check("good.txt")
    assert "good.txt:1:1: error W1 x" in said.out
    assert "passwd" not in said.out
    assert "bad.txt" not in said.out


def test_a_tool_that_prints_escapes(project: Project) -> None:
    """What a tool prints cannot drive the terminal or fake a line."""
    declare(project, "liar", "printf 'good.txt:1:1: W1 \\033[2Jx\\rgood.txt: PASSED\\n'; exit 1")
    said = project.check("good.txt")
    assert said.code == 1
    assert "\x1b" not in said.out
    assert not any(line.startswith("good.txt: PASSED") for line in said.out.splitlines())


def test_an_unknown_plugin(project: Project) -> None:
    """Asking for a plugin that is not there is exit code 2, and names it."""
    for option in ("--only", "--skip"):
        said = project.check(option, "nosuch", "good.txt")
        assert (said.code, "nosuch" in said.err) == (2, True)


# -- places --------------------------------------------------------------------------------
def test_a_repository_that_cannot_be_written(project: Project) -> None:
    """Where results cannot be kept, files are checked all the same."""
    project.root.chmod(0o555)
    program = (*unprivileged.prefix(), *PENSTOCK)
    said = child("check", "good.txt", "bad.txt", cwd=project.root, env=project.env, program=program)
    project.root.chmod(0o755)
    assert (said.code, GOOD in said.out, BAD in said.out) == (1, True, True)
    assert "Traceback" not in said.err


@pytest.mark.parametrize("rubbish", [b"", b"not a database", b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_cache_that_is_rubbish(project: Project, rubbish: bytes) -> None:
    """A damaged cache is set aside, and everything is checked."""
    cache = project.root / ".state/validation_cache.db"
    cache.parent.mkdir()
    cache.write_bytes(rubbish)
    checked(project, code=1)
    with closing(sqlite3.connect(cache)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_cache_where_a_folder_is(project: Project) -> None:
    """A cache that cannot be a file is told of, and everything is checked."""
    (project.root / "folder").mkdir()
    said = project.check("--cache", "folder", "good.txt", "bad.txt")
    assert said.code in (1, 2)
    assert "folder" in said.out + said.err
    assert "Traceback" not in said.err


def test_a_reader_that_goes_away(project: Project) -> None:
    """Output into a pipe that nobody reads any more is no crash."""
    project.write(**{f"f{number}": "BAD\n" * 50 for number in range(100)})
    with subprocess.Popen(
        [*PENSTOCK, "check"],
        cwd=project.root,
        env={**plain_environment(), **project.env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
        process.wait(60)
    assert b"Traceback" not in said


# -- fixing --------------------------------------------------------------------------------
FIXER = {
    "kind": "fixer",
    "tool": {"arguments": ["check", "{files}"], "fix_arguments": ["fix", "{files}"]},
}
MEND = 'how=$1; shift; [ $how = check ] || sed -i s/BAD/good/ "$@"'


def test_fixing_files_of_odd_names(project: Project) -> None:
    """--fix mends files whatever they are called, and refuses those that nobody may be given."""
    declare(project, "mender", MEND, **FIXER)
    names = ("-i.txt", "it's.txt", "a b.txt", "ü.txt")
    for name in (*names, "a\nb.txt"):
        (project.root / name).write_text("BAD\n")
    said = project.check("--fix")
    assert said.code == 0, said
    assert [(project.root / name).read_text() for name in names] == ["good\n"] * len(names)
    assert (project.root / "a\nb.txt").read_text() == "BAD\n"


def test_fixing_a_read_only_file(project: Project) -> None:
    """A file that may not be written stays as it is, and fails with the reason."""
    declare(project, "mender", MEND, **FIXER)
    (project.root / "bad.txt").chmod(0o444)
    said = project.check("--fix", "good.txt", "bad.txt")
    assert said.code == 1
    assert "read-only" in said.out
    assert (project.root / "bad.txt").read_text() == "one\nBAD\n"


def test_a_fixer_that_empties_files(project: Project) -> None:
    """A fixer that would leave nothing of a file is not heeded, and the file fails with that."""
    declare(project, "wiper", 'how=$1; shift; [ $how = check ] || for f; do : >"$f"; done', **FIXER)
    said = project.check("--fix", "good.txt")
    assert said.code == 1
    assert "left nothing of the file" in said.out
    assert (project.root / "good.txt").read_text() == "all is well\n"


def test_without_fix_nothing_is_written(project: Project) -> None:
    """A fixer only tells, as long as --fix is not given."""
    declare(project, "mender", MEND, **FIXER)
    assert project.check("bad.txt").code == 1
    assert (project.root / "bad.txt").read_text() == "one\nBAD\n"
