"""Dirty plans of every dialect through the command line: nothing is lost, and all of it can be run."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.planning.drafting.api import GroupBy
from penstock.planning.load import judge_bundles
from tests.support.cli import Cli, Said, child
from tests.support.plan_corpus import MAKERS, Case, repository_files
from tests.support.repos import make_repo, state_of, write

SEEDS = range(int(os.environ.get("PENSTOCK_PLAN_SEEDS", "12")))
LOOK = ("--dry-run", "--json", "--lenient", "--tool", "scripted")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that the plans are for."""
    return make_repo(tmp_path_factory.mktemp("plans") / "repository", repository_files())


@pytest.fixture
def repository(files: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That repository as the current folder."""
    monkeypatch.chdir(files)
    return files


@pytest.fixture
def cli(repository: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line there."""
    return Cli(repository, capsys)


def cases(repository: Path, dialect: str) -> Iterator[Case]:
    """Yield the plans of one dialect, each written down while it is worked on."""
    for seed in SEEDS:
        case = MAKERS[dialect](seed)
        write(repository, case.files)
        yield case
        write(repository, dict.fromkeys(case.files))


def keys(document: dict[str, Any]) -> Counter[str]:
    """Count how often each item is in a bundle or needs a scope."""
    traces = [one["bundle"]["metadata"]["plan"]["items"] for one in document["bundles"]]
    traces += [gap["items"] for gap in document["needs_scope"]]
    return Counter(item["key"] for items in traces for item in items)


def looked(cli: Cli, case: Case, *more: str) -> Said:
    """Plan without writing anything."""
    said = cli("plan", case.word, *LOOK, *more)
    assert (said.code in (0, 1), "Traceback" in said.err) == (True, False), (case.seed, said.err)
    return said


@pytest.mark.parametrize("dialect", MAKERS)
def test_every_item_is_counted_once(repository: Path, cli: Cli, dialect: str) -> None:
    """The counts are those the plan was made with, and each open item is in one place."""
    for case in cases(repository, dialect):
        document = looked(cli, case).json
        items, found = document["items"], keys(document)
        assert sum(items.values()) == 2 * items["total"], case.seed
        counts = items["total"], items["done"], items["skipped"]
        assert counts == (case.total, case.done, case.skipped), case.seed
        assert set(found.values()) <= {1}, case.seed
        assert len(found) == items["planned"] + items["needs_scope"], case.seed


@pytest.mark.parametrize("dialect", MAKERS)
def test_bundles_are_valid_and_can_be_run(repository: Path, cli: Cli, dialect: str) -> None:
    """`penstock validate` accepts what was written, and a dry run comes to its end."""
    for case in cases(repository, dialect):
        folder = f"bundles/{dialect}-{case.seed}"
        said = cli("plan", case.word, "--output-dir", folder, "--lenient", "--tool", "scripted")
        assert said.code in (0, 1), (case.seed, said.err)
        if not list((repository / folder).glob("*.json")):
            continue
        valid = cli("validate", "--dir", folder, "--json")
        assert valid.json["ok"], (case.seed, valid.json["errors"][:3])


@pytest.mark.parametrize("dialect", MAKERS)
def test_places_lead_to_the_items(repository: Path, cli: Cli, dialect: str) -> None:
    """The line that each item names is a line of the source."""
    for case in cases(repository, dialect):
        document = looked(cli, case).json
        for one in document["bundles"]:
            for item in one["bundle"]["metadata"]["plan"]["items"]:
                text = case.files[item["place"]["file"]].decode("utf-8-sig")
                line = "\n".join(text.splitlines()).split("\n")[item["place"]["line"] - 1]
                assert line.strip(), (case.seed, item)


@pytest.mark.parametrize("dialect", MAKERS)
def test_paths_stay_in_the_repository(repository: Path, cli: Cli, dialect: str) -> None:
    """No claim leaves it or touches git; what is not there is to be created."""
    for case in cases(repository, dialect):
        for one in looked(cli, case).json["bundles"]:
            bundle = one["bundle"]
            for path in bundle["files_scope"]:
                made = path in bundle.get("files_create", ())
                assert made or (repository / path).exists(), (case.seed, path)
                inside = (repository / path).resolve().is_relative_to(repository.resolve())
                assert inside, (case.seed, path)
                assert ".git" not in path.split("/"), (case.seed, path)


@pytest.mark.parametrize("grouped", list(GroupBy))
def test_however_it_is_cut_nothing_is_lost(repository: Path, cli: Cli, grouped: GroupBy) -> None:
    """With every way to group and limits that hardly anything fits into."""
    rng = random.Random(grouped.value)
    for dialect in MAKERS:
        for case in cases(repository, dialect):
            limits = {"max_tasks": rng.randrange(1, 4), "max_files": rng.randrange(1, 4)}
            limits["max_context_tokens"] = rng.choice((1, 100, 100_000))
            chosen = json.dumps({**limits, "threshold": rng.choice((0, 0.3, 1))})
            document = looked(cli, case, "--group-by", grouped.value, "--options", chosen).json
            assert sum(document["items"].values()) == 2 * case.total, (case.seed, chosen)
            assert set(keys(document).values()) <= {1}, (case.seed, chosen)
            report = judge_bundles([one["bundle"] for one in document["bundles"]], None)
            assert report.ok, (dialect, case.seed, chosen, report.errors[:3])


def test_several_plans_at_once_are_one(repository: Path, cli: Cli) -> None:
    """One of every dialect: all items are counted, and the bundles are valid together."""
    for seed in SEEDS:
        several = [make(seed) for make in MAKERS.values()]
        for case in several:
            write(repository, case.files)
        said = cli("plan", *(case.word for case in several), *LOOK)
        assert said.code in (0, 1), (seed, said.err)
        items = said.json["items"]
        assert items["total"] == sum(case.total for case in several), seed
        assert items["done"] == sum(case.done for case in several), seed
        report = judge_bundles([one["bundle"] for one in said.json["bundles"]], None)
        assert report.ok, (seed, report.errors[:3])
        for case in several:
            write(repository, dict.fromkeys(case.files))


@pytest.mark.parametrize("dialect", MAKERS)
def test_the_same_plan_gives_the_same_bytes(repository: Path, dialect: str) -> None:
    """In other processes, with other hashes, locales and places to stand in."""
    case = MAKERS[dialect](random.Random(dialect).randrange(1000))
    write(repository, case.files)
    (repository / "src").mkdir(exist_ok=True)
    first = child("plan", case.word, *LOOK, cwd=repository, env={"PYTHONHASHSEED": "1"})
    second = child(
        "plan", f"../{case.word}", *LOOK, cwd=repository / "src",
        env={"PYTHONHASHSEED": "2", "LC_ALL": "C", "TZ": "Asia/Tokyo", "COLUMNS": "300"},
    )  # fmt: skip
    write(repository, dict.fromkeys(case.files))
    assert json.loads(first.out)["items"]["total"] == case.total
    assert first.out == second.out


@pytest.mark.parametrize("dialect", MAKERS)
def test_looking_changes_nothing(repository: Path, cli: Cli, dialect: str) -> None:
    """Neither the checkout nor the bundles that are there."""
    case = MAKERS[dialect](1)
    write(repository, case.files)
    before = state_of(repository)
    looked(cli, case)
    cli("plan", case.word, "--check")
    cli("plan", case.word, "--graph", "json", "--tool", "scripted")
    assert state_of(repository) == before
    write(repository, dict.fromkeys(case.files))
