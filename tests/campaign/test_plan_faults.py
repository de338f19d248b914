"""Planning in hard times: killed, crowded, without room, without permission, and led astray."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.support.cli import PENSTOCK, Said, child, plain_environment
from tests.support.plan_corpus import MAKERS, repository_files
from tests.support.repos import make_repo, write
from tests.support.unprivileged import prefix

SEED = 20261121
KILLS = 10
AT_ONCE = 4
DEADLINE_S = 120
OUT = "bundles"
STARVED = """\
import resource, sys
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, most))
from penstock.cli.main import main
code = main(sys.argv[1:])
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))  # what measures coverage writes now
sys.exit(code)
"""
LARGE = 10_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository that plans are for."""
    return make_repo(tmp_path / "repository", repository_files())


def plan(root: Path, word: str, *more: str, program: Sequence[str] = PENSTOCK) -> Said:
    """Write the bundles of a plan in a process of its own."""
    line = ("plan", word, "--output-dir", OUT, "--tool", "scripted", "--lenient", "--no-input")
    return child(*line, *more, cwd=root, program=program)


def begun(root: Path, word: str, *, measured: bool = True) -> subprocess.Popen[bytes]:
    """Begin to write the bundles of a plan; what is not `measured` counts for no coverage.

    The measurement has a lock of its own, in which an interrupt leaves it for ever.
    """
    env = plain_environment()
    if not measured:
        env = {name: value for name, value in env.items() if not name.startswith("COVERAGE_")}
    return subprocess.Popen(
        [*PENSTOCK, "plan", word, "--output-dir", OUT, "--tool", "scripted", "--lenient"],
        cwd=root,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def checklist(names: Sequence[str], marks: Sequence[str] = ()) -> str:
    """Return a plan with a part for each name, which changes a file of its own and makes another."""
    parts = []
    for number, name in enumerate(names):
        mark = marks[number] if number < len(marks) else " "
        parts.append(
            f"## {name}\n\n- [{mark}] Change `src/area{number % 4}/part{number % 6}.py`\n"
            f"- [ ] Create `src/{name}.py` (new)\n"
        )
    return "\n".join(parts)


def bundles(root: Path) -> dict[str, bytes]:
    """Return what the folder of bundles holds, folders of a killed one left out."""
    place = root / OUT
    found = sorted(place.glob("*.json")) if place.is_dir() else []
    return {path.name: path.read_bytes() for path in found}


def valid(root: Path) -> Said:
    """Validate the folder of bundles."""
    return child("validate", "--dir", OUT, cwd=root)


def refused(said: Said) -> None:
    """See that a command was refused with words and no crash."""
    assert said.code == 2, (said.code, said.out, said.err)
    assert "Error: " in said.err
    assert "Traceback" not in said.err


# -- killed ------------------------------------------------------------------------------------
@pytest.mark.slow
def test_a_killed_plan_leaves_valid_bundles(root: Path) -> None:
    """After kill -9 at random moments the folder is valid, and the same command mends it."""
    dice = random.Random(SEED)
    for round_ in range(KILLS):
        names = [f"part-{dice.randrange(30)}-{n}" for n in range(dice.randrange(2, 12))]
        write(root, {"plan.md": checklist(names)})
        with begun(root, "plan.md") as process:
            time.sleep(dice.uniform(0.05, 1.2))
            process.kill()
        if bundles(root):
            assert valid(root).code == 0, round_
    assert plan(root, "plan.md").code == 0
    mended = bundles(root)
    write(root, {f"{OUT}/{name}": None for name in mended})
    assert plan(root, "plan.md").code == 0
    assert bundles(root) == mended
    assert [path.name for path in (root / OUT).iterdir() if path.suffix != ".json"] == []


def test_ctrl_c_ends_a_plan(root: Path) -> None:
    """With its own exit code and nothing written by halves, at whatever moment it comes."""
    write(root, {"plan.md": checklist([f"part{n}" for n in range(400)])})
    dice = random.Random(SEED)
    for _ in range(KILLS):
        with begun(root, "plan.md", measured=False) as process:
            time.sleep(dice.uniform(0.1, 0.8))
            process.send_signal(signal.SIGINT)
            code = process.wait(DEADLINE_S)
        made = bundles(root)
        assert len(made) in ((400,) if code == 0 else (0, 400))
        assert code in (0, 130, -signal.SIGINT) or not made  # before and after main it is Python's
        write(root, {f"{OUT}/{name}": None for name in made})


# -- crowded -----------------------------------------------------------------------------------
def test_the_same_plan_several_times_at_once(root: Path) -> None:
    """All come to their end, and the folder is that of one."""
    write(root, {"plan.md": checklist([f"part{n}" for n in range(20)])})
    running = [begun(root, "plan.md") for _ in range(AT_ONCE)]
    assert [process.wait(DEADLINE_S) for process in running] == [0] * AT_ONCE
    crowded = bundles(root)
    write(root, {f"{OUT}/{name}": None for name in crowded})
    assert plan(root, "plan.md").code == 0
    assert bundles(root) == crowded


def test_several_plans_at_once(root: Path) -> None:
    """Each has its bundles in the end, with ids of their own."""
    for number in range(AT_ONCE):
        write(root, {f"docs/plan{number}.md": checklist([f"own-{number}-{n}" for n in range(5)])})
    running = [begun(root, f"docs/plan{number}.md") for number in range(AT_ONCE)]
    assert [process.wait(DEADLINE_S) for process in running] == [0] * AT_ONCE
    assert len(bundles(root)) == 5 * AT_ONCE


# -- without room ------------------------------------------------------------------------------
@pytest.mark.parametrize("limit", [1, 600, 3000])
def test_without_room_nothing_is_changed(root: Path, limit: int) -> None:
    """The bundles that are there stay, byte for byte."""
    write(root, {"plan.md": checklist(["one", "two"])})
    assert plan(root, "plan.md").code == 0
    before = bundles(root)
    tasks = "\n".join(f"- [ ] Change `src/area0/part0.py`, {n} {'x' * 50}" for n in range(60))
    write(root, {"plan.md": f"{checklist(['one', 'two', 'three'])}\n{tasks}\n"})
    starved = (sys.executable, "-c", STARVED.format(limit=limit))
    refused(plan(root, "plan.md", program=starved))
    assert bundles(root) == before
    assert plan(root, "plan.md").code == 0
    assert len(bundles(root)) > len(before)


# -- without permission ------------------------------------------------------------------------
def test_a_folder_that_cannot_be_written(root: Path) -> None:
    """Is told, and nothing else happens."""
    write(root, {"plan.md": checklist(["one"]), f"{OUT}/.keep": ""})
    (root / OUT).chmod(0o500)
    try:
        refused(plan(root, "plan.md", program=(*prefix(), *PENSTOCK)))
    finally:
        (root / OUT).chmod(0o700)


def test_a_state_folder_that_cannot_be_written(root: Path) -> None:
    """A plan needs no index that is kept."""
    write(root, {"plan.md": checklist(["one"]), "state/.keep": ""})
    (root / "state").chmod(0o500)
    try:
        said = plan(root, "plan.md", program=(*prefix(), *PENSTOCK))
    finally:
        (root / "state").chmod(0o700)
    assert (said.code, len(bundles(root))) == (0, 1), said.err


@pytest.mark.parametrize("dialect", MAKERS)
def test_a_source_that_cannot_be_read(root: Path, dialect: str) -> None:
    """The file is named, in an error or a notice; a plan is never made as if it were empty."""
    case = MAKERS[dialect](2)
    write(root, case.files)
    name = next(n for n in case.files if "tasks" in n or "plan" in n or n.endswith("001.md"))
    (root / name).chmod(0)
    line = ("plan", case.word, "--output-dir", OUT, "--tool", "scripted", "--no-input")
    said = child(*line, cwd=root, program=(*prefix(), *PENSTOCK))
    assert name.rpartition("/")[2] in said.err, said.err
    assert (said.code in (1, 2), "Traceback" in said.err) == (True, False)
    assert bundles(root) == {}


# -- led astray --------------------------------------------------------------------------------
def fifo(path: Path) -> None:
    """Put a pipe that nobody writes to in the place of a file."""
    path.unlink()
    os.mkfifo(path)


def loop(path: Path) -> None:
    """Put a link to itself in the place of a file."""
    path.unlink()
    path.symlink_to(path.name)


def folder(path: Path) -> None:
    """Put a folder in the place of a file."""
    path.unlink()
    path.mkdir()


def endless(path: Path) -> None:
    """Put a device without an end in the place of a file."""
    path.unlink()
    path.symlink_to("/dev/zero")


def away(path: Path) -> None:
    """Put a link that leads out of the repository in the place of a file."""
    path.unlink()
    path.symlink_to("/etc/hostname")


@pytest.mark.parametrize("astray", [fifo, loop, folder, endless, away], ids=lambda f: f.__name__)
@pytest.mark.parametrize("dialect", MAKERS)
def test_what_is_no_file_is_not_waited_for(
    root: Path, dialect: str, astray: Callable[[Path], None]
) -> None:
    """Each file of a plan in turn; what it says elsewhere is not read."""
    case = MAKERS[dialect](3)
    for name in sorted(case.files):
        write(root, case.files)
        astray(root / name)
        said = plan(root, case.word, "--dry-run")
        assert said.code in (0, 1, 2), (name, said.err)
        assert "Traceback" not in said.err, name
        path = root / name
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


@pytest.mark.parametrize("dialect", ["openspec", "spec-kit", "ccpm"])
def test_folders_that_hold_themselves_end(root: Path, dialect: str) -> None:
    """A link to a folder above it is not followed for ever."""
    case = MAKERS[dialect](4)
    write(root, case.files)
    for place in {(root / name).parent for name in case.files}:
        (place / "specs").mkdir(exist_ok=True)
        (place / "specs" / "round").symlink_to(root, target_is_directory=True)
        (place / "around").symlink_to(place, target_is_directory=True)
    said = plan(root, case.word, "--dry-run", "--json")
    assert said.code in (0, 1), said.err
    assert said.json["items"]["total"] == case.total


def test_a_plan_of_five_megabytes(root: Path) -> None:
    """Is read whole: all of its items are counted."""
    line = "- [ ] Round the amounts in `src/area0/part0.py` to whole cents, case {n} {more}\n"
    text = "".join(line.format(n=n, more="of many " * 57) for n in range(LARGE))
    assert len(text) > 5_000_000
    write(root, {"plan.md": text})
    said = plan(root, "plan.md", "--dry-run", "--json", "--group-by", "all")
    assert said.code == 0, said.err
    assert said.json["items"]["planned"] == LARGE
