"""The baseline of secrets: read, written, matched, brought up to date."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import ConfigError
from penstock.leaks.baseline import (
    KEY_BYTES,
    Baseline,
    Entry,
    Known,
    decode,
    encode,
    key_id,
    updated,
)
from penstock.leaks.found import FoundSecret, LeakVerdict, SecretReport, Source

KEY = bytes(range(KEY_BYTES))
TREE, HISTORY, LOGS = Source.TREE, Source.HISTORY, Source.LOGS
ENTRIES = st.builds(
    Entry,
    path=st.text(min_size=1),
    rule=st.text("abc-", min_size=1),
    fingerprint=st.text("0123456789abcdef", min_size=32, max_size=32),
    source=st.sampled_from(Source),
)


def found(path: str = "a.py", mark: str = "f1", source: Source = TREE) -> FoundSecret:
    """Return a finding."""
    return FoundSecret(
        source=source,
        path=path,
        line=1,
        column=1,
        rule="r",
        title="t",
        masked="…",
        fingerprint=mark,
    )


def entry(path: str = "a.py", mark: str = "f1", source: Source = TREE) -> Entry:
    """Return what a baseline keeps of a finding."""
    return Entry(path, "r", mark, source)


# -- the file --------------------------------------------------------------------------------
@given(st.lists(ENTRIES, max_size=6), st.booleans())
def test_what_is_written_is_read(entries: list[Entry], share: bool) -> None:
    """A baseline comes back whole, each entry once, in order."""
    written = Baseline(
        key_id=key_id(KEY), key=KEY if share else None, entries=tuple(sorted(set(entries)))
    )
    read = decode(encode(written))
    assert (read.key_id, read.key) == (written.key_id, written.key)
    assert sorted(read.entries) == list(written.entries)


def test_an_entry_is_a_line() -> None:
    """Each entry has a line of its own, sorted, so that git merges line by line."""
    three = Baseline(key_id="k", entries=(entry("b"), entry("a", "f2"), entry("a", "f1")))
    lines = encode(three).decode().splitlines()
    assert [line.strip(" ,") for line in lines if "fingerprint" in line] == [
        '{"rule": "r", "fingerprint": "f1"}',
        '{"rule": "r", "fingerprint": "f2"}',
        '{"rule": "r", "fingerprint": "f1"}',
    ]


def test_names_that_are_no_text_are_kept() -> None:
    """Bytes of a file's name that are no UTF-8 come back as they were."""
    odd = Baseline(key_id="k", entries=(entry("a\udcff\n\u2028.py"),))
    assert decode(encode(odd)) == odd


def test_an_empty_baseline_is_one() -> None:
    """Nothing known is a file all the same."""
    assert decode(encode(Baseline(key_id="k"))) == Baseline(key_id="k")


WHOLE: dict[str, Any] = {"version": 1, "key_id": "k", "files": {}}


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b"<<<<<<< ours\n",
        json.dumps({**WHOLE, "files": {"a": [{"rule": "r"}]}}).encode(),
        json.dumps({**WHOLE, "files": {"a": [{"rule": "r", "fingerprint": 1}]}}).encode(),
        json.dumps({**WHOLE, "more": 1}).encode(),
        json.dumps({**WHOLE, "key": "no hex"}).encode(),
    ],
    ids=range(10),
)  # fmt: skip
def test_what_is_no_baseline_is_an_error(content: bytes) -> None:
    """Rubbish, a merge conflict, missing and unknown members are told with what mends them."""
    with pytest.raises(ConfigError, match=r"x\.json is no baseline") as caught:
        decode(content, "x.json")
    assert "--update-baseline" in str(caught.value.hint)


def test_another_version_is_an_error() -> None:
    """A file of a later penstock is not guessed at."""
    with pytest.raises(ConfigError, match="version 2"):
        decode(json.dumps({**WHOLE, "version": 2}).encode())


@pytest.mark.parametrize("key", [KEY.hex(), KEY.hex()[:-2]])
def test_a_key_that_is_not_the_one_named_is_an_error(key: str) -> None:
    """A key that was exchanged or cut short tells nothing of these fingerprints."""
    with pytest.raises(ConfigError, match="not the one that it names"):
        decode(json.dumps({**WHOLE, "key": key}).encode())


def test_the_name_of_a_key_does_not_tell_it() -> None:
    """Keys have different names, which are no part of them."""
    assert key_id(KEY) != key_id(KEY[::-1])
    assert key_id(KEY) not in KEY.hex()


# -- what is known ---------------------------------------------------------------------------
def test_in_files_the_path_counts() -> None:
    """The same value in another file, or another value in that file, is not known."""
    known = Known(Baseline(key_id="k", entries=(entry(),)))
    assert found() in known
    assert found(source=HISTORY) in known
    assert found("b.py") not in known
    assert found(mark="f2") not in known


def test_in_logs_the_value_alone_counts() -> None:
    """Log files come and go; what is known of one is known of all."""
    known = Known(Baseline(key_id="k", entries=(entry(),)))
    assert found("logs/x.log", source=LOGS) in known
    assert found("logs/x.log", "f2", LOGS) not in known


# -- brought up to date ----------------------------------------------------------------------
def test_an_update_forgets_what_is_gone_and_no_more() -> None:
    """Of sources and paths that were looked through what was not found goes."""
    before = [entry("a"), entry("b"), entry("c", source=HISTORY)]
    new = [found("a", "f9")]
    after = updated(before, new, sources={TREE}, is_scanned=lambda path: path == "a")
    assert after == (entry("a", "f9"), entry("b"), entry("c", source=HISTORY))


def test_an_update_of_a_part_only_adds() -> None:
    """Where no source was looked through as a whole, all that was known stays."""
    new = [found("a", "f9", HISTORY)]
    after = updated([entry("a")], new, sources=(), is_scanned=lambda _: True)
    assert after == (entry("a"), entry("a", "f9", HISTORY))


# -- reports ---------------------------------------------------------------------------------
def test_a_report_without_findings_is_fine() -> None:
    """What the baseline knows does not count against it."""
    fine = SecretReport(sources=(TREE,), level="default", known=(found(),))
    assert fine.ok
    assert not SecretReport(sources=(TREE,), level="default", findings=(found(),)).ok


def test_a_verdict_counts_what_is_past() -> None:
    """A secret of an earlier commit is as bad as one that is still there."""
    assert LeakVerdict().ok
    assert not LeakVerdict(past=(found(),)).ok
    assert not LeakVerdict(present=(found(),)).ok
