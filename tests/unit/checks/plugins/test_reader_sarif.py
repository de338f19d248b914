"""The reader of SARIF."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.model.finding import Category, Severity
from tests.support.readers import brief, parse, parse_json


def result(**members: Any) -> dict[str, Any]:
    """Return a result at line 3 of a.c, with these members on top."""
    place = {"artifactLocation": {"uri": "a.c"}, "region": {"startLine": 3, "startColumn": 5}}
    return {
        "ruleId": "R1",
        "message": {"text": "wrong"},
        "locations": [{"physicalLocation": place}],
        **members,
    }


def at(uri: str, **members: Any) -> dict[str, Any]:
    """Return a result on a file."""
    place = {"artifactLocation": {"uri": uri, **members}}
    return result(locations=[{"physicalLocation": place}])


def log(*results: dict[str, Any], rules: list[Any] | None = None, **run: Any) -> dict[str, Any]:
    """Return a log of one run."""
    driver = {"name": "it", "rules": rules or []}
    return {
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": list(results), **run}],
    }


def one(*results: dict[str, Any], **members: Any) -> Any:
    """Return the only finding of such a log."""
    (found,) = parse_json("sarif", log(*results, **members)).findings
    return found


def test_a_result_is_a_finding() -> None:
    """Rule, message, level, region, fix and help page are taken over."""
    region = {"startLine": 3, "startColumn": 5, "endLine": 4, "endColumn": 2}
    place = {"artifactLocation": {"uri": "dir/a%20b.c"}, "region": region}
    found = one(
        result(level="error", locations=[{"physicalLocation": place}], fixes=[{"x": 1}]),
        rules=[{"id": "R1", "helpUri": "https://rules/R1"}],
    )
    assert (found.path, found.line, found.column) == ("dir/a b.c", 3, 5)
    assert (found.end_line, found.end_column) == (4, 2)
    assert (found.code, found.message, found.severity) == ("R1", "wrong", Severity.ERROR)
    assert (found.fixable, found.url) == (True, "https://rules/R1")


def test_several_runs_are_read() -> None:
    """Every run of a log counts."""
    value = log(result(message={"text": "one"}))
    value["runs"] += log(result(message={"text": "two"}))["runs"]
    assert [f.message for f in parse_json("sarif", value).findings] == ["one", "two"]


# -- rules and levels ----------------------------------------------------------------------------
RULES = [
    {"id": "R0"},
    {"id": "R1", "defaultConfiguration": {"level": "error"}, "shortDescription": {"text": "short"}},
]


@pytest.mark.parametrize(
    "members",
    [
        {"ruleIndex": 1, "ruleId": None},
        {"ruleId": "R1"},
        {"ruleId": "R1/sub"},
        {"ruleId": None, "rule": {"index": 1}},
        {"ruleId": None, "rule": {"id": "R1"}},
    ],
)
def test_the_rule_is_found(members: dict[str, Any]) -> None:
    """By index, by id, by a part of an id, or by reference: the rule's level holds."""
    found = one(result(**members), rules=RULES)
    assert found.severity is Severity.ERROR
    assert found.code.startswith("R1")


def test_the_rule_of_an_extension_is_found() -> None:
    """A reference may lead into a plugin of the tool."""
    value = log(result(ruleId=None, rule={"index": 0, "toolComponent": {"index": 0}}), rules=RULES)
    value["runs"][0]["tool"]["extensions"] = [{"rules": [{"id": "X9"}]}]
    assert parse_json("sarif", value).findings[0].code == "X9"


@pytest.mark.parametrize("index", [-1, 2, 99])
def test_an_index_beyond_the_rules_is_no_rule(index: int) -> None:
    """A log that lies about its rules keeps its results."""
    found = one(result(ruleIndex=index, ruleId="Z"), rules=RULES)
    assert (found.code, found.severity) == ("Z", Severity.WARNING)


@pytest.mark.parametrize(
    ("members", "severity"),
    [
        ({"level": "error"}, Severity.ERROR),
        ({"level": "warning"}, Severity.WARNING),
        ({"level": "note"}, Severity.INFO),
        ({"level": "none"}, Severity.INFO),
        ({}, Severity.WARNING),
        ({"kind": "fail"}, Severity.WARNING),
        ({"kind": "informational"}, Severity.INFO),
        ({"kind": "review"}, Severity.INFO),
    ],
)
def test_levels_become_severities(members: dict[str, Any], severity: Severity) -> None:
    """A level that is not there is a warning, but none for what is no failure."""
    assert one(result(**members)).severity is severity


def test_the_manifest_may_map_codes() -> None:
    """The words of the manifest come before those of the standard."""
    parsed = parse_json(
        "sarif", log(result(level="note")), severities={"R*": "error", "note": "warning"}
    )
    assert parsed.findings[0].severity is Severity.WARNING
    parsed = parse_json("sarif", log(result(level="note")), severities={"R*": "error"})
    assert parsed.findings[0].severity is Severity.ERROR


@pytest.mark.parametrize(
    ("properties", "category"),
    [
        ({"tags": ["security", "x"]}, Category.SECURITY),
        ({"security-severity": "7.5"}, Category.SECURITY),
        ({"tags": "security"}, Category.OTHER),
        ({}, Category.OTHER),
    ],
)
def test_rules_of_security_are_told(properties: dict[str, Any], category: Category) -> None:
    """A rule that is marked as one of security makes its findings so, unless the manifest knows."""
    value = log(result(), rules=[{"id": "R1", "properties": properties}])
    assert parse_json("sarif", value).findings[0].category is category
    assert parse_json("sarif", value, category="style").findings[0].category is Category.STYLE


# -- messages ------------------------------------------------------------------------------------
def test_a_message_by_id_is_looked_up_and_filled() -> None:
    """The rule holds the text, the result its arguments; doubled braces stand for themselves."""
    rules = [{"id": "R1", "messageStrings": {"m": {"text": "{0} is {{not}} {1} {7}"}}}]
    found = one(result(message={"id": "m", "arguments": ["a", "b"]}), rules=rules)
    assert found.message == "a is {not} b {7}"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ({"markdown": "*so*"}, "*so*"),
        ({"id": "unknown"}, "short"),
        ({}, "short"),
        (None, "short"),
        ({"text": "two\nlines"}, "two lines"),
    ],
)
def test_a_message_falls_back(message: Any, told: str) -> None:
    """Without a text, Markdown or the rule's description tell what is wrong."""
    assert one(result(message=message), rules=RULES).message == told


def test_a_result_with_nothing_is_still_one() -> None:
    """The code, or that there is no message, stands in."""
    assert brief(parse_json("sarif", log({"ruleId": "Q"}, {}))) == [
        "warning Q Q",
        "warning no message",
    ]


# -- what does not count -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("members", "counts"),
    [
        ({"suppressions": []}, True),
        ({"suppressions": [{"kind": "inSource"}]}, False),
        ({"suppressions": [{"kind": "external", "status": "accepted"}]}, False),
        ({"suppressions": [{"kind": "external", "status": "underReview"}]}, True),
        ({"suppressions": [{}, {"status": "rejected"}]}, True),
        ({"baselineState": "absent"}, False),
        ({"baselineState": "new"}, True),
        ({"kind": "pass"}, False),
        ({"kind": "notApplicable"}, False),
    ],
)
def test_suppressed_and_passing_results_are_left_out(members: dict[str, Any], counts: bool) -> None:
    """What the tool itself has set aside is no finding; the log is read all the same."""
    parsed = parse_json("sarif", log(result(**members)))
    assert parsed.ok
    assert len(parsed.findings) == counts


# -- places --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///there/a%20b.c", "/there/a b.c"),
        ("file://localhost/there/a.c", "/there/a.c"),
        ("file:/there/a.c", "/there/a.c"),
        ("FILE:///C:/x/a.c", "C:/x/a.c"),
        ("file://server/share/a.c", "//server/share/a.c"),
        ("src/a.c", "src/a.c"),
        ("./a%23b.c", "./a#b.c"),
        ("https://host/a.c", None),
        ("", None),
        ("bad%00name", None),
    ],
)
def test_addresses_become_paths(uri: str, path: str | None) -> None:
    """Addresses of files are decoded; others name no file."""
    assert one(at(uri)).path == path


def test_a_base_is_put_before_an_address() -> None:
    """Bases may lean on each other; one without an address is the tree."""
    bases = {
        "ROOT": {"uri": "file:///there/"},
        "SRC": {"uri": "src/", "uriBaseId": "ROOT"},
        "OPEN": {"description": {"text": "the tree"}},
    }
    assert one(at("a.c", uriBaseId="SRC"), originalUriBaseIds=bases).path == "/there/src/a.c"
    assert one(at("a.c", uriBaseId="OPEN"), originalUriBaseIds=bases).path == "a.c"
    assert one(at("a.c", uriBaseId="%SRCROOT%"), originalUriBaseIds=bases).path == "a.c"
    assert one(at("file:///x/a.c", uriBaseId="SRC"), originalUriBaseIds=bases).path == "/x/a.c"


def test_bases_that_lean_on_themselves_end() -> None:
    """A circle of bases is walked a few times only."""
    found = one(at("a", uriBaseId="A"), originalUriBaseIds={"A": {"uri": "x", "uriBaseId": "A"}})
    assert found.path.endswith("x/a")


def test_a_file_may_be_given_by_its_number() -> None:
    """The run lists its files; a number beyond them names none."""
    place = {"artifactLocation": {"index": 1}}
    artifacts = [{}, {"location": {"uri": "b.c"}}]
    by_number = result(locations=[{"physicalLocation": place}])
    assert one(by_number, artifacts=artifacts).path == "b.c"
    assert one(by_number, artifacts=artifacts[:1]).path is None
    assert one(by_number, artifacts=[{}, {}]).path is None


@pytest.mark.parametrize(
    ("region", "places"),
    [
        (None, (None, None, None, None)),
        ({}, (None, None, None, None)),
        ({"charOffset": 5}, (None, None, None, None)),
        ({"startLine": 2}, (2, None, None, None)),
        ({"startLine": 2, "startColumn": 3, "endColumn": 9}, (2, 3, 2, 9)),
        ({"startLine": 0, "startColumn": 3}, (None, None, None, None)),
    ],
)
def test_regions_become_places(region: Any, places: tuple[int | None, ...]) -> None:
    """An end without a line is on the line of the beginning; without a beginning there is no place."""
    place = {"artifactLocation": {"uri": "a.c"}, "region": region}
    found = one(result(locations=[{}, {"physicalLocation": place}]))
    assert (found.line, found.column, found.end_line, found.end_column) == places


# -- no result -----------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["toolExecutionNotifications", "toolConfigurationNotifications"])
def test_a_notification_of_level_error_is_not_ok(kind: str) -> None:
    """A tool that tells of an error of its own has not done its work."""
    notes = [
        {"level": "note", "message": {"text": "x"}},
        {"level": "error", "message": {"text": "no rules"}},
    ]
    parsed = parse_json("sarif", log(result(), invocations=[{kind: notes}]))
    assert not parsed.ok
    assert parsed.why == "no rules"
    assert len(parsed.findings) == 1


@pytest.mark.parametrize(
    ("invocation", "ok"),
    [
        ({"executionSuccessful": True}, True),
        ({"executionSuccessful": False}, False),
        ({"executionSuccessful": False, "exitCodeDescription": "usage"}, False),
        ({"toolExecutionNotifications": [{"level": "error"}]}, False),
        ({"toolExecutionNotifications": [{"message": {"text": "fine"}}]}, True),
    ],
)
def test_an_execution_must_have_succeeded(invocation: dict[str, Any], ok: bool) -> None:
    """What the log says of the run itself decides, with a reason in any case."""
    parsed = parse_json("sarif", log(invocations=[invocation]))
    assert parsed.ok is ok
    assert bool(parsed.why) is not ok


@pytest.mark.parametrize(
    "value",
    [[], {}, {"runs": None}, {"runs": []}, {"runs": [1]}, {"runs": [{"results": [{"level": 3}]}]}],
)
def test_what_is_no_log_is_not_ok(value: Any) -> None:
    """JSON of another shape, and a log without runs, say nothing."""
    assert not parse_json("sarif", value).ok


def test_missing_results_are_none_only_after_a_clean_exit() -> None:
    """Some tools print no list when it would be empty; after a failure that means nothing was looked at."""
    value = {"runs": [{"tool": {"driver": {"name": "x"}}}]}
    assert parse_json("sarif", value, exit_code=0).ok
    assert not parse_json("sarif", value, exit_code=1).ok


def test_text_and_nothing_are_not_ok() -> None:
    """An error message instead of a log, and no output at all, are no pass."""
    assert not parse("sarif", "Error: no such rule", exit_code=0).ok
    assert not parse("sarif", "", exit_code=0).ok
