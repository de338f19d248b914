"""No reader raises, whatever a tool prints, and none takes half an output for a whole one."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.checks.plugins.port import Parsed, RawOutput
from penstock.checks.plugins.readers.table import READERS
from penstock.model.manifest import OutputSpec
from tests.support.readers import raw_of, spec_of

MAPPING = {
    "items": "results.*[].hits[]",
    "path": "^.^.@key",
    "line": "at.line",
    "message": "text|m.0",
    "code": "id",
    "fixable": "fix",
}
SPECS: dict[str, dict[str, Any]] = {
    "json": {"mapping": MAPPING},
    "lines": {"pattern": r"(?P<path>\S+):(?P<line>\d+) (?P<message>.*)"},
}
NAMES = sorted(READERS)
# members that readers know, so that random documents get below their surface
WORDS = st.sampled_from(
    [
        *("runs", "results", "invocations", "tool", "driver", "rules", "locations", "region"),
        *("physicalLocation", "artifactLocation", "uri", "uriBaseId", "message", "text", "level"),
        *("ruleId", "ruleIndex", "index", "startLine", "messages", "filePath", "line", "column"),
        *("file", "hits", "id", "comments", "code", "fileName", "ruleNames", "lineNumber", "fix"),
    ]
)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=4), inner),
    max_leaves=25,
)


def spec_for(name: str) -> OutputSpec:
    """Return a manifest's way to read with that reader."""
    return spec_of(name, **SPECS.get(name, {}))


def read(name: str, raw: RawOutput) -> Parsed:
    """Read all three streams alike, so that none is left out."""
    return READERS[name](raw, spec_for(name))


def check(parsed: Parsed) -> None:
    """Hold what every reader promises of what it gives."""
    assert parsed.ok or parsed.why
    for found in parsed.findings:
        assert found.message
        assert not re.search(r"[\x00-\x1f\ud800-\udfff]", found.message)
        assert found.line is None or found.line >= 1
        assert found.column is None or found.column >= 1


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=50)
@given(data=st.binary(max_size=400), code=st.integers(0, 255))
def test_any_bytes_are_survived(name: str, data: bytes, code: int) -> None:
    """Bytes without sense raise nothing."""
    check(read(name, raw_of(data, data, data, exit_code=code)))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60)
@given(value=DOCUMENTS)
def test_any_json_is_survived(name: str, value: Any) -> None:
    """JSON of any shape raises nothing."""
    data = json.dumps(value).encode()
    check(read(name, raw_of(data, data, data)))


LOG = {
    "runs": [
        {
            "tool": {"driver": {"name": "x", "rules": [{"id": "R"}]}},
            "results": [{"ruleId": "R", "message": {"text": "wrong"}}],
        }
    ]
}
WHOLE = {
    "sarif": json.dumps(LOG),
    "json": json.dumps({"results": {"a": [{"hits": [{"text": "x"}]}]}}),
}


@pytest.mark.parametrize("name", sorted(WHOLE))
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_document_cut_short_is_not_ok(name: str, share: float) -> None:
    """Wherever JSON ends too early, it is no result; whole it is one."""
    whole = WHOLE[name].encode()
    assert read(name, raw_of(whole)).ok
    assert not read(name, raw_of(whole[: int(len(whole) * share)])).ok
