"""Versions and ranges of npm: what they mean, and that npm's own library agrees."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.environment.versions.semver import parse_range, parse_version
from tests.support.packages import npm_library

RANGES = (
    "", "*", "x", "1", "1.x", "1.2", "1.2.x", "1.2.3", "v1.2.3", "=1.2.3", "^1.2.3", "^0.2.3",
    "^0.0.3", "^0.0", "^0", "^1.x", "^0.x", "^0.0.x", "~1.2.3", "~1.2", "~1", "~0.2", "~>1.2.3",
    ">1.2", ">1", ">=1.2", "<1.2", "<=1.2", "<1", "<=1", ">=1.2.3 <2", "1.2.3 - 2.3.4",
    "1.2 - 2.3.4", "1.2.3 - 2.3", "1.2.3 - 2", "* - 2", "1 - *", "1 || 2", "^1.2.3-beta.2",
    "~1.2.3-beta.2", ">=1.2.3-alpha", "1.2.3-beta.2", "^0.0.3-beta", "<2.0.0-0", "> 1.2.3",
    ">=1.2.3   <  1.3", "^ 1.2", "~ 1.2", ">*", "<*", ">=*", "<=*", "||", "1 ||", "^0.1.0-rc.1",
    "= 1.2.3", "1.2.3+build", ">=1.2.3+b", "~1.2.3 ~1.2.4", "<1.2.3-beta", ">1.2.3-beta",
    ">= 1.2.3 || <0.1", "<=1.2.3-0", ">=v1.2.3", "^v1.2", "*-1", "x - x",
)  # fmt: skip
NO_RANGES = (
    "==1.2.3", "01.2.3", "a", "1.2.3.4", "^^1", "latest", "1.2.3-", "file:x", "!1", "1,2",
    "^1.2.3,<2", "1.2.3- 2.0.0", "v 1.2.3", "https://example.invalid/x.tgz", "1.2.3 -g",
)  # fmt: skip
VERSIONS = (
    "0.0.0", "0.0.3", "0.0.3-beta", "0.0.3-beta.1", "0.0.4", "0.1.0", "0.1.0-rc.1", "0.1.0-rc.2",
    "0.2.3", "0.2.9", "0.3.0", "1.0.0", "1.0.0-0", "1.2.0", "1.2.3", "1.2.3-beta.1", "1.2.3-beta.2",
    "1.2.3-beta.10", "1.2.3-alpha", "1.2.4", "1.2.4-beta", "1.3.0", "1.3.0-0", "2.0.0", "2.0.0-0",
    "2.0.0-rc.1", "2.3.4", "2.3.5", "2.4.0", "3.0.0", "1.2.3+build",
)  # fmt: skip
ASK = """
const semver = require(process.argv[1]);
const [ranges, versions] = JSON.parse(require("fs").readFileSync(0));
const row = r => semver.validRange(r) === null ? null : versions.map(v => semver.satisfies(v, r));
console.log(JSON.stringify(ranges.map(row)));
"""


def verdicts(text: str) -> list[bool] | None:
    """Return which of VERSIONS are in a range, None for what is none."""
    found = parse_range(text)
    if found is None:
        return None
    versions = [parse_version(version) for version in VERSIONS]
    return [version is not None and found.holds(version) for version in versions]


def real_verdicts(library: Path) -> Any:
    """Return the same for all ranges, as npm's library sees it."""
    done = subprocess.run(
        ["node", "-e", ASK, str(library)],
        input=json.dumps([[*RANGES, *NO_RANGES], VERSIONS]),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def test_npm_agrees_on_every_range_and_version() -> None:
    """For each text, npm's own library says the same of every version, or that it is no range."""
    expected = real_verdicts(npm_library("semver"))
    ours = [verdicts(text) for text in (*RANGES, *NO_RANGES)]
    assert dict(zip((*RANGES, *NO_RANGES), ours, strict=True)) == dict(
        zip((*RANGES, *NO_RANGES), expected, strict=True)
    )


@pytest.mark.parametrize("text", [*NO_RANGES, "1" * 300])
def test_what_is_no_range_is_told(text: str) -> None:
    """Tags, URLs, options and overlong texts are no ranges."""
    assert parse_range(text) is None


@pytest.mark.parametrize("text", ["1.2", "1.2.3.4", "", "latest", "01.2.3", "1" * 300])
def test_what_is_no_version_is_told(text: str) -> None:
    """A version has three numbers without leading zeros."""
    assert parse_version(text) is None


def test_versions_sort_by_precedence() -> None:
    """Prereleases come before their release, numbers before words, fewer words before more."""
    order = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
             "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1"]  # fmt: skip
    versions = [parse_version(text) for text in order]
    assert None not in versions
    assert versions == sorted(version for version in versions if version is not None)


@given(st.text(max_size=40))
def test_no_text_breaks_the_parsers(text: str) -> None:
    """Whatever the text, the answer is a value or None."""
    found = parse_range(text)
    version = parse_version(text)
    assert found is None or version is None or isinstance(found.holds(version), bool)


NUMBERS = st.integers(0, 30)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_a_version_is_in_the_ranges_made_of_it(major: int, minor: int, patch: int) -> None:
    """`^`, `~`, `=`, `>=` and `<=` of a version all hold it; `<` and `>` do not."""
    text = f"{major}.{minor}.{patch}"
    version = parse_version(text)
    assert version is not None
    for operator in ("^", "~", "=", ">=", "<=", "<", ">"):
        found = parse_range(operator + text)
        assert found is not None
        assert found.holds(version) == (operator not in ("<", ">"))
