"""Every kind of problem, with its place, what was expected, and the fix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.errors import BundleValidationError
from penstock.planning import validate
from penstock.planning.api import BundleProblem, ProblemType, ValidationReport
from penstock.planning.bundles import validate_bundle_obj
from penstock.planning.load import load_bundles
from tests.support.bundles import bundle_dict, write_bundles

T = ProblemType


def report_of(tmp_path: Path, *bundles: Any) -> ValidationReport:
    """What judging a file with a list of these bundles gives."""
    return load_bundles([write_bundles(tmp_path, "w.json", bundles)], None)


def problems_of(tmp_path: Path, *bundles: Any) -> list[tuple[str, str | None, str]]:
    """The problems of a file with a list of these bundles as (type, path, details)."""
    errors = report_of(tmp_path, *bundles).errors
    return [(str(problem.type), problem.path, problem.details) for problem in errors]


def only(problems: list[tuple[str, str | None, str]]) -> tuple[str, str | None, str]:
    """The one problem there should be."""
    assert len(problems) == 1, problems
    return problems[0]


WRONG_FIELDS: list[tuple[dict[str, Any], str, str]] = [
    ({"id": "WS_A"}, "[0].id", "expected 'ws-' followed by small letters, digits and '-'"),
    ({"id": "ws-a\n"}, "[0].id", "found 'ws-a\\n'; such as 'ws-add-login'"),
    ({"id": "ws-é"}, "[0].id", "found 'ws-é'"),
    ({"gate": 0}, "[0].gate", "expected a whole number of at least 1, found 0"),
    ({"gate": "1"}, "[0].gate", "expected a whole number of at least 1, found the text '1'"),
    ({"gate": True}, "[0].gate", "found true"),
    ({"gate": 1.5}, "[0].gate", "found 1.5"),
    ({"gate": None}, "[0].gate", "found null"),
    ({"ccpm_issue": []}, "[0].ccpm_issue", "expected a whole number or a text, found a list"),
    ({"files_scope": []}, "[0].files_scope", "expected at least one entry, found an empty list"),
    ({"files_scope": "src"}, "[0].files_scope", "expected a list of texts, found the text 'src'"),
    ({"files_scope": [""]}, "[0].files_scope[0]", "expected a text that is not empty"),
    ({"files_scope": ["x" * 1025]}, "[0].files_scope[0]", "at most 1024 characters, found 1025"),
    ({"tasks": ["a", 2]}, "[0].tasks[1]", "expected a text, found 2"),
    ({"tool": ""}, "[0].tool", "expected a text that is not empty"),
    ({"kind": "tests"}, "[0].kind", "found 'tests'; did you mean 'test'?"),
    ({"kind": 3}, "[0].kind", "expected one of 'background', 'design', 'docs', 'impl'"),
    ({"priority": "zzz"}, "[0].priority", "expected one of 'background', 'foreground', found"),
    ({"max_cost_usd": -1}, "[0].max_cost_usd", "expected a number of at least 0, found -1"),
    ({"parallel_ok": "no"}, "[0].parallel_ok", "expected true or false, found the text 'no'"),
    ({"metadata": []}, "[0].metadata", "expected an object, found a list"),
    (
        {"circuit_breaker": {"max_attempts": 0}},
        "[0].circuit_breaker.max_attempts",
        "expected a whole number of at least 1, found 0",
    ),
    (
        {"capability_payload": {"max_retries": 6}},
        "[0].capability_payload.max_retries",
        "expected a whole number of at least 0 and at most 5, found 6",
    ),
    (
        {"test_gates": [{"type": "GATE_UNIT", "require": True}]},
        "[0].test_gates[0].require",
        "unknown field 'require'; did you mean 'required'?",
    ),
    (
        {"test_gates": [{}]},
        "[0].test_gates[0]",
        "the field 'type' is missing; add it: one of 'GATE_INTEGRATION', 'GATE_LINT'",
    ),
    ({"test_gates": ["GATE_UNIT"]}, "[0].test_gates[0]", "expected an object, found the text"),
    ({"metadata": {"scripted": {}}}, "[0].metadata.scripted", "expected a list of objects, found"),
    (
        {"metadata": {"scripted": [{"edts": {}}]}},
        "[0].metadata.scripted[0].edts",
        "did you mean 'edits'?",
    ),
    (
        {"metadata": {"scripted": [{"edits": {"a b": 1}}]}},
        '[0].metadata.scripted[0].edits["a b"]',
        "expected a text, found 1",
    ),
    (
        {"metadata": {"scripted": [{"claim": "edit"}]}},
        "[0].metadata.scripted[0].claim",
        "found 'edit'; did you mean 'edited'?",
    ),
    (
        {"metadata": {"scripted": [{"usage": {"tokens": 1}}]}},
        "[0].metadata.scripted[0].usage.tokens",
        "unknown field 'tokens'",
    ),
    (
        {"metadata": {"scripted": [{"exit_code": 256}]}},
        "[0].metadata.scripted[0].exit_code",
        "at most 255, found 256",
    ),
    ({"files_scope": ["/etc/x"]}, "[0].files_scope[0]", "write it relative to the repository"),
    ({"files_create": ["a", "../x"]}, "[0].files_create[1]", "the path '../x' is wrong: holds"),
    ({"files_create": ["a\nb"]}, "[0].files_create[0]", "holds the character U+000A"),
    (
        {"capability_payload": {"files": ["C:\\x"]}},
        "[0].capability_payload.files[0]",
        "absolute; write it relative to the repository, such as 'x'",
    ),
    (
        {"capability": "lint"},
        "[0].capability",
        "testing, version_checking, planning, review; did you mean 'linting'?",
    ),
    ({"capability": "zzz"}, "[0].capability", "unknown capability 'zzz'; known are"),
    ({"capability": ""}, "[0].capability", "expected a text that is not empty"),
    ({"gate": 1e300}, "[0]", "expected"),
]


@pytest.mark.parametrize(("fields", "path", "details"), WRONG_FIELDS)
def test_a_wrong_field_is_told_with_path_expectation_and_fix(
    tmp_path: Path, fields: dict[str, Any], path: str, details: str
) -> None:
    """One mistake is one problem, at its JSON path."""
    kind, where, text = only(problems_of(tmp_path, bundle_dict(**fields)))
    assert (kind, where) == ("schema", path)
    assert details in text


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("gatte", "did you mean 'gate'?"),
        ("Files_Scope", "did you mean 'files_scope'?"),
        ("dependencies", "did you mean 'depends_on'?"),
        ("files", "did you mean 'files_scope'?"),
        ("xyzzy", "known fields: acceptance_tests, capability, "),
        ("", "known fields: "),
    ],
)
def test_an_unknown_field_names_the_nearest_known_one(tmp_path: Path, name: str, hint: str) -> None:
    """Typing errors and other tools' names lead to the right field."""
    _, where, text = only(problems_of(tmp_path, {**bundle_dict(), name: 1}))
    assert where == ('[0][""]' if not name else f"[0].{name}")
    assert hint in text


def test_each_missing_field_is_told_with_what_it_is_for(tmp_path: Path) -> None:
    """An empty object lacks seven fields."""
    found = problems_of(tmp_path, {})
    assert [where for _, where, _ in found] == ["[0]"] * 7
    assert (
        "the field 'gate' is missing; add it: a whole number of at least 1 "
        "(barrier: it starts when all workstreams of every lower gate are done)"
    ) in [text for _, _, text in found]


@pytest.mark.parametrize(
    ("value", "found"), [(1, "1"), ("x", "the text 'x'"), ([], "a list"), (None, "null")]
)
def test_what_is_no_object_is_told(tmp_path: Path, value: Any, found: str) -> None:
    """A bundle is an object, in a list and alone."""
    text = f"expected an object (a bundle), found {found}"
    assert only(problems_of(tmp_path, value)) == ("schema", "[0]", text)


def test_all_problems_of_a_bundle_come_at_once(tmp_path: Path) -> None:
    """Unknown fields first, then the schema, then paths and capability."""
    wrong = bundle_dict(gate=0, tool=1, files_scope=["/x"], capability="zz", oops=1)
    paths = [where for _, where, _ in problems_of(tmp_path, wrong)]
    assert paths == ["[0].oops", "[0].gate", "[0].tool", "[0].files_scope[0]", "[0].capability"]


def test_kinds_come_in_their_order_over_all_bundles(tmp_path: Path) -> None:
    """Unknown fields, schema, duplicates, references, cycles, overlaps."""
    found = problems_of(
        tmp_path,
        bundle_dict("ws-a", files_scope=["x"], depends_on=["ws-gone"]),
        bundle_dict("ws-b", files_scope=["x"]),
        bundle_dict("ws-c", depends_on=["ws-d"]),
        bundle_dict("ws-d", depends_on=["ws-c"]),
        bundle_dict("ws-a"),
        bundle_dict("ws-e", gate=0),
        bundle_dict("ws-f", oops=1),
    )
    assert [(kind, where) for kind, where, _ in found] == [
        ("schema", "[6].oops"),
        ("schema", "[5].gate"),
        ("schema", "[4].id"),
        ("dependency", "[0].depends_on[0]"),
        ("cycle", "[2].depends_on[0]"),
        ("overlap", "[0].files_scope[0]"),
    ]


def test_a_duplicate_names_the_first_place(tmp_path: Path) -> None:
    """The first bundle keeps its id; each later one is told, across files too."""
    one = write_bundles(tmp_path, "a.json", bundle_dict())
    two = write_bundles(tmp_path, "b.json", [bundle_dict("ws-b"), bundle_dict()])
    report = load_bundles([one, two], None)
    problem = report.errors[0]
    assert (len(report.errors), problem.file, problem.path) == (1, str(two), "[1].id")
    assert f"Duplicate bundle id 'ws-a', first used in {one}; rename" in problem.details
    assert len(report.bundles) == 2
    again = load_bundles([write_bundles(tmp_path, "c.json", [bundle_dict("ws-b")] * 2)], None)
    assert "c.json at [0]; rename" in again.errors[0].details


def test_a_missing_dependency_is_told_with_a_near_id(tmp_path: Path) -> None:
    """The nearest id is offered; a bundle never is its own remedy."""
    bundles = [bundle_dict("ws-login"), bundle_dict("ws-b", depends_on=["ws-logn", "ws-bb"])]
    near, far = problems_of(tmp_path, *bundles)
    assert near[2] == (
        "Missing dependency references: ws-b depends on 'ws-logn'; did you mean 'ws-login'?"
    )
    assert far[2].endswith("'ws-bb'; add that bundle or remove the entry")


def test_a_wrong_bundle_is_still_a_bundle_to_depend_on(tmp_path: Path) -> None:
    """One mistake does not bring a second problem elsewhere."""
    found = problems_of(tmp_path, bundle_dict(gate=0), bundle_dict("ws-b", depends_on=["ws-a"]))
    assert only(found)[1] == "[0].gate"


def test_a_dependency_on_a_higher_gate_can_never_be_met(tmp_path: Path) -> None:
    """Both would wait for each other for ever."""
    bundles = [bundle_dict("ws-a", depends_on=["ws-b"]), bundle_dict("ws-b", gate=2)]
    kind, where, text = only(problems_of(tmp_path, *bundles))
    assert (kind, where) == ("dependency", "[0].depends_on[0]")
    assert "ws-a (gate 1) depends on ws-b (gate 2)" in text
    assert "raise the gate of ws-a or lower that of ws-b" in text


def test_a_cycle_is_told_once_from_its_smallest_id(tmp_path: Path) -> None:
    """Its place is where the smallest id names the next one."""
    ring = {"ws-b": "ws-c", "ws-c": "ws-a", "ws-a": "ws-b"}
    bundles = [bundle_dict(ws, depends_on=["ws-z", on]) for ws, on in ring.items()]
    kind, where, text = only(problems_of(tmp_path, bundle_dict("ws-z"), *bundles))
    assert (kind, where) == ("cycle", "[3].depends_on[1]")
    assert text.startswith("Dependency cycle(s) detected: ws-a -> ws-b -> ws-c -> ws-a; remove")


def test_an_overlap_is_told_with_both_claims(tmp_path: Path) -> None:
    """Claims of files_create count, and are placed there."""
    bundles = [bundle_dict("ws-b"), bundle_dict("ws-a", files_create=["docs/", ".\\src/"])]
    kind, where, text = only(problems_of(tmp_path, *bundles))
    assert (kind, where) == ("overlap", "[1].files_create[1]")
    assert text.startswith(
        "File scope overlaps detected: ws-a claims 'src/' and ws-b claims 'src/ws-b.py'"
    )
    assert "let one depend on the other" in text


@pytest.mark.parametrize(
    "fields",
    [{"depends_on": ["ws-a"]}, {"gate": 2}, {"conflict_group": "g"}, {"parallel_ok": False}],
)
def test_what_never_runs_together_may_overlap(tmp_path: Path, fields: dict[str, Any]) -> None:
    """Dependency, gate, conflict group or running alone make an overlap fine."""
    first = bundle_dict("ws-a", files_scope=["src/"], conflict_group="g")
    assert report_of(tmp_path, first, bundle_dict("ws-b", files_scope=["src/"], **fields)).ok


def test_thousands_of_problems_stop_at_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report stays readable, whatever a generator wrote."""
    monkeypatch.setattr(validate, "LIMIT", 10)
    many = [bundle_dict(f"ws-{at}", files_scope=["src/"], depends_on=["ws-x"]) for at in range(30)]
    kinds = [kind for kind, _, _ in problems_of(tmp_path, *many)]
    assert (kinds.count("dependency"), kinds.count("overlap")) == (10, 10)
    assert len(problems_of(tmp_path, bundle_dict(tasks=[1] * 100))) == 10


def test_of_a_huge_value_the_first_problem_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Millions of wrong entries are not turned into millions of problems first."""
    monkeypatch.setattr(validate, "MAX_VALUES", 50)
    assert only(problems_of(tmp_path, bundle_dict(tasks=[1] * 60)))[1] == "[0].tasks[0]"
    text = '[{"id": "ws-a", "openspec_change": "c", "ccpm_issue": 1, "gate": 1, "tool": "t", '
    text += (
        '"files_scope": ["a"], "metadata": {"a": 1, "a": 2}, "tasks": [' + '"x",' * 60 + '"x"]}]'
    )
    (tmp_path / "w.json").write_text(text, encoding="utf-8")
    found = load_bundles([tmp_path / "w.json"], None).errors
    assert [problem.path for problem in found] == ["[0].metadata.a"]


def test_hints_for_missing_ids_have_a_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Comparing thousands of ids with thousands of others would take minutes."""
    monkeypatch.setattr(validate, "HINT_BUDGET", 5)
    bundles = [bundle_dict(f"ws-log{at}", depends_on=[f"ws-lug{at}"]) for at in range(3)]
    texts = [text for _, _, text in problems_of(tmp_path, *bundles)]
    assert ["did you mean" in text for text in texts] == [True, False, False]


def test_paths_are_normalised_in_memory(tmp_path: Path) -> None:
    """Backslashes, `./` and doubled slashes go; a trailing slash stays."""
    fields: dict[str, Any] = {
        "files_scope": [".\\src\\a.py", "docs//x/"],
        "files_create": ["./new.py"],
        "capability_payload": {"files": [".\\a.py"], "other": 1},
    }
    made = report_of(tmp_path, bundle_dict(**fields)).bundles[0].bundle
    assert made.claims == ("src/a.py", "docs/x/", "new.py")
    assert made.capability_payload == {"files": ["a.py"], "other": 1}


def test_the_known_capabilities_can_be_given(tmp_path: Path) -> None:
    """The coordination rules bring names of their own."""
    path = write_bundles(tmp_path, "a.json", bundle_dict(capability="weaving"))
    assert load_bundles([path], None, known_capabilities=("weaving",)).ok
    problem = load_bundles([path], None, known_capabilities=["x"]).errors[0]
    assert problem.details == "unknown capability 'weaving'; known are x"


def test_flawed_texts_and_numbers_are_told_once(tmp_path: Path) -> None:
    """What the text itself gets wrong is not told a second time by the schema."""
    text = '[{"id": "ws-a\\u0000", "gate": NaN, "x": 1e999, "gate": NaN}, {"id": 3}]'
    path = tmp_path / "w.json"
    path.write_text(text, encoding="utf-8")
    found = [(p.path, p.details[:20]) for p in load_bundles([path], None).errors]
    assert ("[0].x", "1e999 is no number w") in found
    assert ("[0].gate", 'the key "gate" is re') in found
    assert len([where for where, _ in found if where == "[0].id"]) == 1
    assert ("[1].id", "expected a text, fou") in found


def test_one_object_is_judged_with_all_its_problems() -> None:
    """The documented function raises with every problem and its path."""
    with pytest.raises(BundleValidationError) as caught:
        validate_bundle_obj(bundle_dict(gate=0, oops=1))
    first, second = str(caught.value).splitlines()
    assert first.startswith("$.oops: unknown field 'oops'; known fields: acceptance_tests, ")
    assert second == "$.gate: expected a whole number of at least 1, found 0"


def test_a_problem_reads_as_one_line() -> None:
    """File, path and details, those that there are."""
    problem = BundleProblem(type=T.CONFIG, file="w", id=None, path=None, details="not found")
    assert problem.text == "w: not found"
