"""Who is told, and which issue a bundle belongs to."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.forge.api import Issue
from penstock.forge.choice import Choice, choose, subject_of


@pytest.mark.parametrize(
    ("configured", "switch", "wanted"),
    [
        (False, None, False), (True, None, True), (True, "", True), (False, " ", False),
        (False, "1", True), (False, "TRUE", True), (False, "yes", True), (False, " on ", True),
        (True, "0", False), (True, "false", False), (True, "no", False), (True, "2", False),
    ],
)  # fmt: skip
def test_the_environment_goes_before_the_file(
    configured: bool, switch: str | None, wanted: bool
) -> None:
    """Off by default; a variable that is empty counts as not set."""
    environ = {} if switch is None else {"ENABLE_GH_SYNC": switch}
    assert choose(configured, environ) == Choice(wanted=wanted)


@pytest.mark.parametrize(
    ("owner", "name", "repository"),
    [("", "", None), ("acme", "shop", "acme/shop"), ("", "acme/shop", "acme/shop"),
     ("other", "acme/shop.js", "acme/shop.js"), (" a ", "b_c-d", "a/b_c-d")],
)  # fmt: skip
def test_the_repository_is_named_whole_or_not_at_all(
    owner: str, name: str, repository: str | None
) -> None:
    """Without both it is that of the checkout."""
    found = choose(True, {"GITHUB_OWNER": owner, "GITHUB_REPO": name})
    assert (found.repository, found.problem) == (repository, None)


@pytest.mark.parametrize(
    ("owner", "name"),
    [("acme", ""), ("", "shop"), ("--help", "x"), ("a b", "c"), ("a", "../c"), ("a", "b/c/d"),
     ("a", "-b"), ("https://github.com/a", "b"), ("a", "b.")],
)  # fmt: skip
def test_half_a_name_and_nonsense_are_refused(owner: str, name: str) -> None:
    """Nobody is told anything then, and why is known."""
    found = choose(True, {"GITHUB_OWNER": owner, "GITHUB_REPO": name})
    assert found.wanted
    assert found.repository is None
    assert found.problem is not None
    assert "set both, or neither" in found.problem


def bundle(issue: Any, dialect: str | None = None) -> dict[str, Any]:
    """A bundle as the journal has it."""
    metadata = {} if dialect is None else {"plan": {"dialect": dialect, "id": "x"}, "more": 1}
    return {"id": "ws-a", "openspec_change": "c", "ccpm_issue": issue, "metadata": metadata}


@pytest.mark.parametrize(
    ("given", "issue"),
    [
        (12, Issue(12)), ("12", Issue(12)), ("#12", Issue(12)), (" 12 ", Issue(12)),
        ("https://github.com/acme/shop/issues/12", Issue(12, "acme/shop")),
        ("https://git.example.org/acme/shop/issues/12/", Issue(12, "acme/shop")),
    ],
)  # fmt: skip
def test_numbers_and_addresses_name_issues(given: int | str, issue: Issue) -> None:
    """Of the checkout's repository, or of that in the address."""
    subject = subject_of(bundle(given), None)
    assert subject is not None
    assert (subject.issue, subject.change) == (issue, "c")


@pytest.mark.parametrize(
    "given",
    [0, -3, "0", "007", "login", "", "12a", "#", "1.2", "https://github.com/acme/shop/pull/12",
     "http://github.com/acme/shop/issues/12", "https://github.com/shop/issues/12", None, 1.5, [12]],
)  # fmt: skip
def test_other_values_name_none(given: Any) -> None:
    """Files, names, pull requests, rubbish."""
    assert subject_of(bundle(given), None) is None


def test_the_address_must_be_of_the_repository() -> None:
    """Where one is named; letters may differ in size."""
    given = bundle("https://github.com/Acme/Shop/issues/12")
    subject = subject_of(given, "acme/shop")
    assert subject is not None
    assert subject.issue == Issue(12, "acme/shop")
    assert subject_of(given, "acme/other") is None


@pytest.mark.parametrize("dialect", ["openspec", "spec-kit", "task-master", "checklist", "other"])
def test_the_numbers_of_other_plans_are_their_own(dialect: str) -> None:
    """Task 3 of a list is not issue 3; those of CCPM are."""
    assert subject_of(bundle(3, dialect), None) is None
    assert subject_of(bundle(3, "ccpm"), None) is not None


@pytest.mark.parametrize("given", [None, {}, [], "x", {"ccpm_issue": 3, "metadata": {"plan": 1}}])
def test_a_row_without_a_bundle_names_none(given: Any) -> None:
    """As scripts may have entered it."""
    assert subject_of(given, None) is None
