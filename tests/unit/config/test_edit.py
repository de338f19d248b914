"""Settings are changed in files that people wrote, and nothing else in them is."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.config.documents import ConfigFileError, parse_document
from penstock.config.edit import edit_text
from penstock.config.problems import Key

PINS: Key = ("environment", "versionPins", "npm")
JSON_FILE = """\
{
    // who we are
    "version": "1.0", /* kept */
    "environment": {
        "toolsRoot": "~/tools"   // here
        // and no further
    },
    "audit": {}
}
"""
YAML_FILE = """\
# who we are
version: "1.0"   # kept
environment:
  toolsRoot: ~/tools   # here
  healthChecks: {enabled: true}
  # the end of the section

audit:
"""
PATHS = st.lists(st.sampled_from(["a", "b", "on", "x y", "env-1", "ü"]), min_size=1, max_size=3)
LEAVES = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text("ab: #'\"\\\n{}[],é", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("pq"), inner),
    max_leaves=5,
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.dictionaries(st.sampled_from(["a", "b", "on", "env-1"]), inner, max_size=3),
    max_leaves=6,
)
CHANGES = st.lists(st.tuples(PATHS.map(tuple), LEAVES), min_size=1, max_size=3)


def test_json_keeps_comments_and_layout() -> None:
    """A member is added after the last one, with the file's own indentation."""
    changed = edit_text(JSON_FILE, "c.json", {PINS: {"a": "1.2.3"}})
    assert changed == JSON_FILE.replace(
        '"~/tools"   // here\n        // and no further\n    },',
        '"~/tools",   // here\n        // and no further\n        "versionPins": {\n'
        '            "npm": {\n                "a": "1.2.3"\n            }\n        }\n    },',
    )


def test_yaml_keeps_comments_and_layout() -> None:
    """A key is added after the last one of its mapping, at its indentation."""
    changed = edit_text(YAML_FILE, "c.yaml", {PINS: {"@openai/codex": "1.2.3"}})
    added = '  versionPins:\n    npm:\n      "@openai/codex": "1.2.3"\n'
    kept = "  healthChecks: {enabled: true}\n"
    assert changed == YAML_FILE.replace(kept, kept + added)


def test_what_is_there_is_replaced() -> None:
    """Only the value changes, in both formats."""
    path = ("environment", "toolsRoot")
    assert edit_text(JSON_FILE, "c.json", {path: "/opt"}) == JSON_FILE.replace("~/tools", "/opt")
    changed = edit_text(YAML_FILE, "c.yaml", {path: "/opt"})
    assert changed == YAML_FILE.replace("~/tools", '"/opt"')


@pytest.mark.parametrize(
    ("name", "text", "path", "expected"),
    [
        ("c.json", "", ("a", "b"), '{\n  "a": {\n    "b": 1\n  }\n}\n'),
        ("c.yaml", "", ("a", "b"), "a:\n  b: 1\n"),
        ("c.yaml", "# nothing yet", ("a",), "# nothing yet\na: 1\n"),
        ("c.yaml", "audit:  # later\nb: 2\n", ("audit", "x"), "audit:  # later\n  x: 1\nb: 2\n"),
        ("c.yaml", "audit:", ("audit",), "audit: 1"),
        ("c.yaml", "{a: {b: 2}}\n", ("a", "c"), '{a: {b: 2, "c": 1}}\n'),
        ("c.yaml", "a: {}\n", ("a", "c"), 'a: {"c": 1}\n'),
        ("c.yaml", "a:\n  t: |\n    x\n", ("a", "c"), "a:\n  t: |\n    x\n  c: 1\n"),
        ("c.yaml", "a:\r\n  b: 2\r\n", ("a", "on"), 'a:\r\n  b: 2\r\n  "on": 1\r\n'),
        ("c.json", '{"a": {"b": 2}}', ("a", "c"), '{"a": {"b": 2, "c": 1}}'),
        ("c.json", '{"a": 1}', ("b", "c"), '{"a": 1, "b": {\n    "c": 1\n  }}'),
        ("c.json", '{\r\n\t"a": null\r\n}', ("a", "c"), '{\r\n\t"a": {\r\n\t\t"c": 1\r\n\t}\r\n}'),
    ],
)
def test_small_files(name: str, text: str, path: Key, expected: str) -> None:
    """Empty files, sections left open, one line, Windows line ends."""
    assert edit_text(text, name, {path: 1}) == expected


@pytest.mark.parametrize(("name", "text"), [("c.json", '{"a": [1]}'), ("c.yaml", "a: [1]\n")])
def test_a_path_through_something_else_is_refused(name: str, text: str) -> None:
    """What is no mapping is not replaced by one."""
    with pytest.raises(ConfigFileError, match="expected a mapping above b"):
        edit_text(text, name, {("a", "b"): 1})


def test_an_edit_that_would_break_the_file_is_refused() -> None:
    """Where the reader and the edit do not agree, nothing is returned."""
    with pytest.raises(ConfigFileError):
        edit_text("a: 1\n", "c.yaml", {("b",): "\x7f"})
    with pytest.raises(ConfigFileError, match="cannot be changed without breaking it: b"):
        edit_text("a: 1\n", "c.yaml", {("b",): "x\u2028 y\x7f"})


def expected_value(value: Any, changes: list[tuple[Key, Any]]) -> Any:
    """Return what the changes mean; None where one leads through something that is no mapping."""
    made = value if isinstance(value, dict) else {}
    for path, leaf in changes:
        place = made
        for part in path[:-1]:
            if place.get(part) is None:
                place[part] = {}
            place = place[part]
            if not isinstance(place, dict):
                return None
        place[path[-1]] = json.loads(json.dumps(leaf))
    return made


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["a", "b", "x y"]), TREES, max_size=3), CHANGES, st.data())
def test_any_edit_means_what_was_asked(
    value: dict[str, Any], changes: list[tuple[Key, Any]], data: st.DataObject
) -> None:
    """Whatever the layout, the edited file holds exactly the old values and the changed ones."""
    texts = {
        "c.json": json.dumps(value, indent=data.draw(st.sampled_from([None, 2]))),
        "c.yaml": yaml.safe_dump(value, default_flow_style=data.draw(st.booleans())),
    }
    wanted = expected_value(json.loads(json.dumps(value)), changes)
    if wanted is None:
        return
    for name, text in texts.items():
        for path, leaf in changes:
            text = edit_text(text, name, {path: leaf})
        assert parse_document(text, name).value == wanted
