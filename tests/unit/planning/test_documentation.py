"""The reference page says what the program does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.model.bundle import Bundle
from penstock.model.scripted import ScriptedTurn
from penstock.planning.api import ProblemType
from penstock.planning.bundles import validate_bundle_obj
from penstock.planning.load import load_bundles
from penstock.planning.parse import parse
from tests.support.bundles import bundle_dict, write_bundles

PAGE = (Path(__file__).parents[3] / "docs/reference/bundles.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^#+ (.*)\n((?:(?!^#+ ).*\n)*)", PAGE, re.MULTILINE))


def first_cells(section: str) -> set[str]:
    """What stands in code in the first column of a section's tables."""
    rows = re.findall(r"^\|(.*?)\|", SECTIONS[section], re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def examples() -> set[tuple[str, str]]:
    """The example messages as (type, text)."""
    rows = re.findall(r"^\| (\w+) \| `(.*)` \|$", SECTIONS["Validation"], re.MULTILINE)
    return set(rows)


def test_the_page_lists_every_field() -> None:
    """The tables of fields hold those of the model, no more and no less."""
    assert first_cells("Fields") == set(Bundle.__struct_fields__)
    assert first_cells("metadata.scripted") == set(ScriptedTurn.__struct_fields__)


def test_required_fields_are_marked() -> None:
    """A star stands behind what must be there."""
    starred = set(re.findall(r"^\| `(\w+)`\* ", SECTIONS["Fields"], re.MULTILINE))
    assert starred == {f.name for f in msgspec.structs.fields(Bundle) if f.required}


def test_the_first_example_is_a_bundle() -> None:
    """The smallest bundle of the page validates and has nothing but what is required."""
    text = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0]
    made = parse(text).value
    assert validate_bundle_obj(made).id == "ws-add-login"
    assert len(made) == 7


def test_every_type_of_problem_is_explained() -> None:
    """The page names all types."""
    assert {kind.value for kind in ProblemType} <= first_cells("Validation")


NO_TASKS = {key: value for key, value in bundle_dict().items() if key != "tasks"}
CASES: list[Any] = [
    bundle_dict(gatte=1),
    NO_TASKS,
    bundle_dict(gate=0),
    bundle_dict(files_scope=["/etc/hosts"]),
    '{"id": "ws-a", "id": "ws-a"}',
    '{\n "id": 1,\n}',
    [bundle_dict(), bundle_dict()],
    bundle_dict(depends_on=["ws-x1"]),
    [bundle_dict(depends_on=["ws-b"]), bundle_dict("ws-b", depends_on=["ws-a"])],
    [bundle_dict(files_scope=["src/"]), bundle_dict("ws-b", files_scope=["src/*.py"])],
]


@pytest.mark.parametrize("content", CASES)
def test_the_examples_are_what_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: Any
) -> None:
    """Each case brings a message that stands on the page word for word."""
    monkeypatch.chdir(tmp_path)
    if isinstance(content, str):
        Path("a.json").write_text(content, encoding="utf-8")
    else:
        write_bundles(tmp_path, "a.json", content)
    problems = load_bundles([Path("a.json")], None).errors
    assert examples() & {(str(problem.type), problem.text) for problem in problems}


def test_every_example_has_a_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page has an example for each case, and the missing directory."""
    monkeypatch.chdir(tmp_path)
    problem = load_bundles([], Path("workstreams")).errors[0]
    assert (str(problem.type), problem.text) in examples()
    assert len(examples()) == len(CASES) + 1
