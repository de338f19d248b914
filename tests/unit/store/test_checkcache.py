"""The cache of check results: what is saved is found, and no more than there is room for."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from penstock.checks.api import ResultCache
from penstock.store.checkcache import CheckCache, NoCache, open_check_cache
from tests.support.caches import Clock, entries, entry, fill, key, run_sql, small, value

DAY = 86_400.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a cache is to be."""
    return tmp_path / ".state" / "checks.db"


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def cache(path: Path, clock: Clock) -> Iterator[CheckCache]:
    """A fresh cache."""
    with closing(small(path, clock)) as made:
        yield made


def test_what_is_saved_is_found(path: Path) -> None:
    """A result is found under its key by another process's cache, and nothing under another."""
    fill(path, 3)
    with closing(open_check_cache(path)) as cache:
        assert cache.lookup([key(1), key("other")]) == {key(1): value(1)}
        assert cache.lookup([]) == {}
        assert cache.notes == ()


def test_many_keys_are_looked_up_at_once(path: Path) -> None:
    """Every key of more than one statement's worth is found."""
    keys = fill(path, 1_234)
    with closing(open_check_cache(path)) as cache:
        assert len(cache.lookup([*keys, *keys[:5]])) == 1_234


def test_it_is_what_the_engine_asks_for(path: Path) -> None:
    """Both kinds of cache are a ResultCache."""
    with closing(open_check_cache(path)) as made:
        caches: list[ResultCache] = [made, NoCache(("why",))]
        assert [len(cache.notes) for cache in caches] == [0, 1]


def test_no_cache_keeps_nothing() -> None:
    """NoCache takes everything and finds nothing."""
    cache = NoCache()
    cache.save(entries([1]))
    cache.remember({"a": "b"})
    assert (cache.lookup([key(1)]), cache.facts(["a"]), cache.notes) == ({}, {}, ())
    assert cache.last_parts("lint", ["1.py"]) == {}
    cache.close()


def test_only_the_owner_can_read_it(cache: CheckCache, path: Path) -> None:
    """The file has mode 0600 and its folder 0700."""
    cache.save(entries([1]))
    assert {stat.S_IMODE(p.stat().st_mode) for p in path.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_result_saved_again_is_replaced(cache: CheckCache, path: Path) -> None:
    """The later value counts, and there is one row."""
    cache.save([entry(1), entry(1, data=b"later")])
    assert cache.lookup([key(1)]) == {key(1): b"later"}
    assert run_sql(path, "SELECT count(*) FROM results") == [(1,)]


def test_an_expired_result_is_not_found(cache: CheckCache, clock: Clock) -> None:
    """A result with an end is found until then; one without stays."""
    cache.save([entry("brief", expires_at=clock.now + 60), entry("lasting")])
    clock.now += 59
    assert len(cache.lookup([key("brief"), key("lasting")])) == 2
    clock.now += 1
    assert list(cache.lookup([key("brief"), key("lasting")])) == [key("lasting")]


def test_a_clock_set_back_does_not_lengthen_a_life(cache: CheckCache, clock: Clock) -> None:
    """A result that would have to be from the future is not found when it has an end."""
    cache.save([entry("brief", expires_at=clock.now + DAY)])
    clock.now -= 30 * DAY
    assert cache.lookup([key("brief")]) == {}


def test_expired_results_are_dropped(path: Path, clock: Clock) -> None:
    """Closing after a save drops what has expired."""
    with closing(small(path, clock)) as cache:
        cache.save([entry("brief", expires_at=clock.now + 1)])
    clock.now += 2
    with closing(small(path, clock)) as cache:
        cache.save(entries(["other"]))
    assert run_sql(path, "SELECT path FROM results") == [("other.py",)]


# -- bounds ------------------------------------------------------------------------------------
def test_the_least_recently_used_go_first(path: Path, clock: Clock) -> None:
    """Beyond the bound those go that were not used; an old one that was looked up stays."""
    fill_with_ages(path, clock, 20)
    with closing(small(path, clock, max_results=20)) as cache:
        assert cache.lookup([key(0)])
        cache.save(entries(["latest"]))
    with closing(small(path, clock)) as cache:
        kept = cache.lookup([key(n) for n in (*range(20), "latest")])
    assert key(0) in kept
    assert key("latest") in kept
    assert set(kept) == {key(0), key("latest"), *(key(n) for n in range(4, 20))}


def fill_with_ages(path: Path, clock: Clock, count: int) -> None:
    """Save results a day apart, the first one the oldest."""
    with closing(small(path, clock)) as cache:
        for number in range(count):
            cache.save(entries([number]))
            clock.now += DAY


def test_the_size_is_bounded_and_given_back(path: Path, clock: Clock) -> None:
    """Beyond the bound on bytes results go, and the file becomes smaller again."""
    with closing(small(path, clock)) as cache:
        cache.save([entry(n, data=b"x" * 10_000) for n in range(200)])
    before = path.stat().st_size
    with closing(small(path, clock, max_bytes=500_000)) as cache:
        cache.save(entries(["latest"]))
        cache.close()
    assert path.stat().st_size < 700_000 < 2_000_000 < before


def test_a_long_run_prunes_before_its_end(path: Path, clock: Clock) -> None:
    """A process that saves thousands of results prunes in between."""
    with closing(small(path, clock, max_results=100)) as cache:
        cache.save(entries(range(2_500)))
        assert run_sql(path, "SELECT count(*) FROM results") == [(90,)]


def test_a_result_too_large_for_the_bound_is_left_out(path: Path, clock: Clock) -> None:
    """A result of more than a quarter of all room is not kept; the others of its batch are."""
    with closing(small(path, clock, max_bytes=10_000)) as cache:
        cache.save([entry("big", data=b"x" * 9_000), entry("small", data=b"y")])
        assert list(cache.lookup([key("big"), key("small")])) == [key("small")]


def test_uses_are_written_once_in_a_while(path: Path, clock: Clock) -> None:
    """A look-up shortly after a save writes nothing; one after a day is noted."""
    fill_with_ages(path, clock, 1)
    noted = used_at(path)
    with closing(small(path, clock)) as cache:
        cache.lookup([key(0)])
    assert used_at(path) == clock.now > noted
    clock.now += 60
    with closing(small(path, clock)) as cache:
        cache.lookup([key(0)])
    assert used_at(path) == clock.now - 60


def used_at(path: Path) -> float:
    """When the only result was used."""
    return float(str(run_sql(path, "SELECT used_at FROM results")[0][0]))


# -- parts and facts ---------------------------------------------------------------------------
def test_the_parts_of_the_newest_result_are_told(cache: CheckCache, clock: Clock) -> None:
    """Of several results of a plugin on a file the last one's parts are given."""
    cache.save([entry("old", path="a.py", parts=b"old"), entry("b", parts=b"b")])
    clock.now += 1
    cache.save([entry("new", path="a.py", parts=b"new")])
    cache.save([entry("else", path="a.py", parts=b"else", plugin="other")])
    told = cache.last_parts("lint", ["a.py", "b.py", "none.py"])
    assert told == {"a.py": b"new", "b.py": b"b"}


def test_facts_are_remembered(path: Path) -> None:
    """A fact is found by another process, with its last value."""
    with closing(open_check_cache(path)) as cache:
        cache.remember({"one": "1", "two": "2"})
        cache.remember({"one": "uno"})
        cache.remember({})
    with closing(open_check_cache(path)) as cache:
        assert cache.facts(["one", "two", "three"]) == {"one": "uno", "two": "2"}


def test_names_that_are_no_text_are_kept_too(cache: CheckCache) -> None:
    """A path with bytes that are no UTF-8 can be saved and asked for."""
    odd = b"caf\xe9.py".decode("utf-8", "surrogateescape")
    cache.save([entry("odd", path=odd, parts=b"odd")])
    cache.remember({odd: odd})
    assert cache.last_parts("lint", [odd]) == {odd: b"odd"}
    assert list(cache.facts([odd])) == [odd]


def test_a_closed_cache_finds_nothing(path: Path) -> None:
    """After closing, twice even, every call does nothing."""
    cache = open_check_cache(path)
    cache.close()
    cache.close()
    cache.save(entries([1]))
    cache.remember({"a": "b"})
    assert (cache.lookup([key(1)]), cache.facts(["a"])) == ({}, {})
    assert cache.last_parts("lint", ["1.py"]) == {}
