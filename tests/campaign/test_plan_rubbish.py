"""Damaged plans of every dialect: each is planned or refused, never a crash, never a lost item."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.planning.load import judge_bundles
from tests.support.cli import Cli, Said
from tests.support.plan_corpus import MAKERS, repository_files
from tests.support.plan_mutations import mutated
from tests.support.repos import make_repo, write

ROUNDS = int(os.environ.get("PENSTOCK_PLAN_ROUNDS", "25"))
SOURCES = 5
LOOK = ("--dry-run", "--json", "--lenient", "--tool", "scripted")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that the plans are for."""
    return make_repo(tmp_path_factory.mktemp("rubbish") / "repository", repository_files())


@pytest.fixture
def cli(files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line in that repository."""
    monkeypatch.chdir(files)
    return Cli(files, capsys)


def told(said: Said) -> bool:
    """Tell whether a command ended as a plan may end: done, contradictory, or refused with words."""
    assert said.code in (0, 1, 2), (said.code, said.err)
    assert "Traceback" not in said.err
    assert said.code != 2 or said.err.startswith("Error: "), said.err
    return said.code != 2


def whole(document: dict[str, Any]) -> None:
    """See that every item is in one place and that the bundles can be run."""
    items = document["items"]
    assert sum(items.values()) == 2 * items["total"]
    bundles = [one["bundle"] for one in document["bundles"]]
    traces = [bundle["metadata"]["plan"]["items"] for bundle in bundles]
    traces += [gap["items"] for gap in document["needs_scope"]]
    found = Counter((str(item["place"]), item["key"]) for one in traces for item in one)
    assert set(found.values()) <= {1}
    assert len(found) == items["planned"] + items["needs_scope"]
    report = judge_bundles(bundles, None)
    assert report.ok, msgspec.to_builtins(report.errors)


@pytest.mark.parametrize("dialect", MAKERS)
def test_damaged_plans_are_planned_or_refused(cli: Cli, dialect: str) -> None:
    """Whatever bytes are wrong in them."""
    for number in range(ROUNDS):
        case = MAKERS[dialect](number % SOURCES)
        damaged = mutated(case, number)
        write(cli.folder, damaged)
        try:
            said = cli("plan", case.word, *LOOK)
            if told(said):
                whole(said.json)
            told(cli("plan", case.word, "--check"))
        except AssertionError as error:
            raise AssertionError(f"{dialect} {number}: {error}") from error
        finally:
            write(cli.folder, dict.fromkeys(damaged))


@pytest.mark.parametrize(
    "raw",
    [b"", b"\n", b"\x00" * 4000, bytes(range(256)) * 40, b"\xff\xfe- [ ] x", b"[" * 100_000,
     b"{" * 100_000, b"- " * 100_000, b"- [ ] a\n" * 3 + b"\x1a", b"\xef\xbb\xbf", b"---\n" * 5000,
     b"```\n" * 4999, b"<!--" * 5000, b" " * 100_000 + b"- [ ] x", b"#" * 100_000],
    ids=lambda raw: f"{raw[:6]!r}x{len(raw)}",
)  # fmt: skip
@pytest.mark.parametrize("dialect", MAKERS)
def test_files_of_rubbish_are_planned_or_refused(cli: Cli, dialect: str, raw: bytes) -> None:
    """In the place of every file that a plan has."""
    case = MAKERS[dialect](1)
    write(cli.folder, dict.fromkeys(case.files, raw))
    try:
        said = cli("plan", case.word, *LOOK)
        if told(said):
            whole(said.json)
    finally:
        write(cli.folder, dict.fromkeys(case.files))
