"""What holds for every rule: an id of its own, a shape that is found, an end to every repetition."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.leaks.match import LeakFinder
from penstock.leaks.named import PROVIDERS
from penstock.leaks.rule import AFTER, BEFORE, LEVELS, Rule, keyed
from penstock.leaks.rules import PASSWORD, RULES, SECRET, SHAPED
from penstock.leaks.structures import STRUCTURES

PARSER = importlib.import_module("re._parser")
EVERYTHING = LeakFinder(level="all")
PREFIXED = [rule for rule in SHAPED if rule.pattern.startswith(BEFORE)]


def body(rule: Rule) -> bytes:
    """The pattern of a token alone, without what must not stand beside it."""
    return re.sub(rb"\(\?![^)]*\)$", b"", rule.pattern.removeprefix(BEFORE))


def test_rules_have_ids_of_their_own_and_titles() -> None:
    """An id names one rule, in lower case with hyphens, as it is used in baselines."""
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(re.fullmatch("[a-z0-9]+(-[a-z0-9]+)+", rule.id) for rule in RULES)
    assert all(rule.title and rule.level in LEVELS for rule in RULES)


def test_there_are_rules_for_more_than_sixty_providers() -> None:
    """Counted by provider, not by rule."""
    assert len(SHAPED) + len(PROVIDERS) >= 160
    assert len({rule.provider for rule in RULES if rule.provider}) >= 100


@pytest.mark.parametrize("rule", PREFIXED, ids=lambda rule: rule.id)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_a_rule_describes_is_found(rule: Rule, data: st.DataObject) -> None:
    """Between any others, with one of its keywords at most its lead behind the beginning."""
    token = data.draw(st.from_regex(re.compile(body(rule)), fullmatch=True))
    places = [token.find(word) for word in rule.keywords]
    assert any(0 <= place <= rule.lead for place in places)
    (leak, *_) = EVERYTHING.find(b'see "' + token + b'" there')
    assert leak.start == 5
    assert leak.value == token


def endless(pattern: Any) -> Iterator[object]:
    """The repetitions without an end of a pattern that was parsed."""
    if isinstance(pattern, PARSER.SubPattern | list | tuple):
        if len(pattern) == 2 and str(pattern[0]).endswith("_REPEAT"):
            if pattern[1][1] == PARSER.MAXREPEAT:
                yield pattern
            pattern = pattern[1]
        for part in pattern:
            yield from endless(part)


@pytest.mark.parametrize("rule", [*SHAPED, *STRUCTURES], ids=lambda rule: rule.id)
def test_every_repetition_has_an_end(rule: Rule) -> None:
    """Else a text of nothing but keywords would take time by the square of its length.

    A private key goes on until something stands there that is of no key, its next head included.
    """
    assert rule.keywords
    assert rule.id == "private-key" or list(endless(PARSER.parse(rule.pattern.decode()))) == []


def test_a_value_that_only_its_neighbour_gives_away() -> None:
    """The connection string of a store: the key in it is the secret."""
    rule = keyed("x-key", "X", "key", b"AccountKey=", rb"[a-z]{4}")
    match = re.search(rule.pattern, b"Name=a;AccountKey=abcd;")
    assert match is not None
    assert match[rule.group] == b"abcd"


def test_rules_of_names_have_shapes_of_whole_values() -> None:
    """Their keywords are compared with a text in lower case."""
    assert all(rule.named and rule.level == "default" for rule in (*PROVIDERS, PASSWORD, SECRET))
    assert all(word == word.lower() for rule in PROVIDERS for word in rule.keywords)
    assert AFTER not in b"".join(rule.pattern for rule in PROVIDERS)
