"""From tags to code: the packaged table, versions, names."""

from __future__ import annotations

import pytest

from penstock.planning.specs.api import TBD, IndexRow, MappedTag
from penstock.planning.specs.mapping import function_name, map_tag, version
from penstock.planning.specs.rules import DEFAULT


def mapped(idx: str, description: str = "") -> MappedTag:
    """What a tag maps to by the packaged rules."""
    return map_tag(IndexRow(idx=idx, file="a.md", line=1, description=description), DEFAULT)


@pytest.mark.parametrize(
    ("categories", "module", "phase"),
    [
        ("DB DATABASE STATE", "src/pipeline/db.py", "PH-02"),
        ("SCHEMA", "schema/schema.sql", "PH-02"),
        ("PROMPT", "src/pipeline/prompts.py", "PH-03"),
        ("TOOL ADAPTER PROFILE", "src/pipeline/tools.py", "PH-03"),
        ("ORCHESTRATOR", "src/pipeline/orchestrator.py", "PH-04"),
        ("SCHEDULER", "src/pipeline/scheduler.py", "PH-04"),
        ("EXECUTOR", "src/pipeline/executor.py", "PH-04"),
        ("CB CIRCUIT", "src/pipeline/circuit_breakers.py", "PH-05"),
        ("RECOVERY", "src/pipeline/recovery.py", "PH-05"),
        ("WORKTREE", "src/pipeline/worktree.py", "PH-06"),
        ("BUNDLE", "src/pipeline/bundles.py", "PH-06"),
        ("SPEC INDEX STUB", "src/pipeline/spec_index.py", "PH-01"),
        ("CONFIG", "config/", TBD),
        ("DOC DOCS", "docs/", TBD),
        ("TEST", "tests/pipeline/test_test.py", TBD),
        ("TESTLOGIN", "tests/pipeline/test_testlogin.py", TBD),
        ("SCRIPT SCRIPTS", "scripts/", TBD),
        ("OTHER X", "src/pipeline/", TBD),
    ],
)
def test_the_category_decides(categories: str, module: str, phase: str) -> None:
    """Each row of the packaged table."""
    for category in categories.split():
        found = mapped(f"IDX-{category}-PART-01")
        assert (found.module, found.phase, found.known) == (module, phase, True)


def test_the_words_of_the_subcategory_count_where_no_category_does() -> None:
    """A tag about the tests or scripts of something unknown is about these."""
    assert mapped("IDX-LOGIN-TEST-04").module == "tests/pipeline/test_login.py"
    assert mapped("IDX-LOGIN-SCRIPTS-04").module == "scripts/"
    assert mapped("IDX-DB-TEST-04").module == "src/pipeline/db.py"


@pytest.mark.parametrize(
    "idx", ["IDX-DB", "IDX-2FA-01", "IDX-DB--01", "IDX--", "IDX-DB-01-X", "IDX-1"]
)
def test_another_shape_maps_to_nothing(idx: str) -> None:
    """It is to be determined, in the first version."""
    found = mapped(idx)
    assert (found.module, found.function, found.phase, found.version) == (TBD, TBD, TBD, "v1.0")
    assert not found.known


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "v1.0"),
        (1, "v1.0"),
        (50, "v1.0"),
        (51, "v2.0"),
        (99, "v2.0"),
        (100, "v3.0"),
        (10**9, "v3.0"),
    ],
)
def test_the_number_gives_the_version(number: int, expected: str) -> None:
    """Core, enhanced, advanced."""
    assert version(number) == expected


def test_the_last_number_counts() -> None:
    """Numbers within the subcategory belong to its name."""
    found = mapped("IDX-DB-V2-7-060")
    assert (found.function, found.version) == ("v2_7", "v2.0")


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("Create the tables", "create_user_names"),
        ("creating tables", "create_user_names"),
        ("Tables are updated, then deleted", "update_user_names"),
        ("DELETES rows", "delete_user_names"),
        ("get a user", "get_user_names"),
        ("validated on entry", "validate_user_names"),
        ("initialise and run", "init_user_names"),
        ("runs at night", "run_user_names"),
        ("a target that is truncated at runtime", "user_names"),
        ("", "user_names"),
    ],
)
def test_the_first_verb_begins_the_name(description: str, expected: str) -> None:
    """In any of its forms, but not as a part of another word."""
    assert function_name(description, "DB", "USER-NAMES") == expected


def test_without_a_subcategory_the_category_is_the_name() -> None:
    """Whatever the description says."""
    assert mapped("IDX-RECOVERY-01", "run it").function == "recovery"
