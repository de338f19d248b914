"""config/circuit_breakers.yaml: packaged values, the file's, and the bundle's overrides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.config.circuit_breakers import BreakerConfig, load_breakers
from penstock.errors import ConfigError
from penstock.model.bundle import Bundle
from penstock.model.settings import BreakerLimits, PipelineSettings
from tests.support.repofiles import write_files

FILE = "config/circuit_breakers.yaml"


def bundle(**fields: Any) -> Bundle:
    """Make a bundle with these fields."""
    return Bundle(
        id="ws-a",
        openspec_change="c",
        ccpm_issue=1,
        gate=1,
        files_scope=("a.py",),
        tasks=(),
        tool="t",
        **fields,
    )


def load(tmp_path: Path, text: str, name: str = FILE) -> BreakerConfig:
    """Load the budgets from a text."""
    return load_breakers(write_files(tmp_path, {name: text}))


def test_the_packaged_values(tmp_path: Path) -> None:
    """Without a file static has 3 attempts and 2 fixes, runtime 2 and 1."""
    config = load_breakers(tmp_path)
    static, runtime = (config.limits_for(step, bundle()) for step in ("static", "runtime"))
    assert static == BreakerLimits()
    assert (runtime.max_attempts_per_step, runtime.max_fix_attempts_per_step) == (2, 1)
    assert runtime.max_attempts_per_error_signature == 3
    assert (runtime.oscillation_window, runtime.oscillation_threshold) == (4, 2)
    assert static.fix_enabled
    assert runtime.fix_enabled


def test_the_file_overrides_key_by_key(tmp_path: Path) -> None:
    """Defaults of the file reach both steps, and a step's own values win."""
    text = "defaults: {max_attempts_per_step: 5, max_wall_clock_s: 60}\n"
    text += "per_step: {runtime: {max_attempts_per_step: 7, oscillation_window: 0}}\n"
    config = load(tmp_path, text)
    static, runtime = (config.limits_for(step, bundle()) for step in ("static", "runtime"))
    assert (static.max_attempts_per_step, static.max_fix_attempts_per_step) == (5, 2)
    assert (runtime.max_attempts_per_step, runtime.max_fix_attempts_per_step) == (7, 1)
    assert (static.oscillation_window, runtime.oscillation_window) == (4, 0)
    assert static.max_wall_clock_s == runtime.max_wall_clock_s == 60.0


def test_every_key_can_be_set(tmp_path: Path) -> None:
    """All keys of both levels are read."""
    keys = "max_attempts_per_step: 9, max_fix_attempts_per_step: 8, "
    keys += "max_attempts_per_error_signature: 7, oscillation_window: 6, "
    keys += "oscillation_threshold: 5, max_wall_clock_s: 4"
    text = f"defaults: {{enable_fix_for_steps: []}}\nper_step: {{static: {{{keys}}}}}\n"
    assert load(tmp_path, text).limits_for("static", bundle()) == BreakerLimits(
        max_attempts_per_step=9,
        max_fix_attempts_per_step=8,
        max_attempts_per_error_signature=7,
        oscillation_window=6,
        oscillation_threshold=5,
        max_wall_clock_s=4.0,
        fix_enabled=False,
    )


def test_the_bundle_overrides_last(tmp_path: Path) -> None:
    """The bundle's keys win over the step's, and unknown ones are kept out."""
    config = load(tmp_path, "per_step: {static: {max_attempts_per_step: 7}}\n")
    own = {
        "max_attempts": 1,
        "max_error_repeats": 0,
        "oscillation_threshold": 0,
        "max_wall_clock_s": 5,
        "something_else": "x",
    }
    limits = config.limits_for("static", bundle(circuit_breaker=own, max_cost_usd=0.5))
    assert limits.max_attempts_per_step == 1
    assert (limits.max_attempts_per_error_signature, limits.oscillation_threshold) == (0, 0)
    assert (limits.max_wall_clock_s, limits.max_cost_usd) == (5.0, 0.5)
    assert limits.max_fix_attempts_per_step == 2


def test_a_wrong_override_names_the_bundle(tmp_path: Path) -> None:
    """A wrong value in `circuit_breaker` is an error naming bundle and key."""
    wrong = bundle(circuit_breaker={"max_attempts": 0})
    with pytest.raises(ConfigError, match=r"ws-a: circuit_breaker: max_attempts: must be at least"):
        load_breakers(tmp_path).limits_for("static", wrong)


def test_merges_get_fix_turns_unless_told_otherwise(tmp_path: Path) -> None:
    """Integrating is a step with budgets of its own, and with FIX turns by default."""
    assert load(tmp_path, "").limits_for("integrate", bundle()).fix_enabled
    config = load(tmp_path, "per_step: {integrate: {max_fix_attempts_per_step: 5}}\n")
    assert config.limits_for("integrate", bundle()).max_fix_attempts_per_step == 5


def test_fix_can_be_limited_to_steps(tmp_path: Path) -> None:
    """A step that is not listed gets no FIX turns."""
    config = load(tmp_path, "defaults: {enable_fix_for_steps: [static]}\n")
    assert config.limits_for("static", bundle()).fix_enabled
    assert not config.limits_for("runtime", bundle()).fix_enabled


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (FILE, "defaults: {max_attempts_per_step: 9}"),
        ("config/circuit_breakers.yml", "defaults: {max_attempts_per_step: 9}"),
        ("config/circuit_breakers.json", '{"defaults": {"max_attempts_per_step": 9}} // json'),
    ],
)
def test_yaml_and_json_are_read(tmp_path: Path, name: str, text: str) -> None:
    """The file may be YAML, or JSON with comments."""
    config = load(tmp_path, text, name)
    assert config.limits_for("runtime", bundle()).max_attempts_per_step == 9


def test_two_files_at_once_are_an_error(tmp_path: Path) -> None:
    """Which one counts would be a guess."""
    write_files(tmp_path, {"config/circuit_breakers.json": "{}"})
    with pytest.raises(ConfigError, match=r"circuit_breakers\.json is there too"):
        load(tmp_path, "")


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    """A file of comments is the packaged configuration."""
    assert load(tmp_path, "# nothing\n") == load_breakers(tmp_path / "elsewhere")


def test_another_file_can_be_named(tmp_path: Path) -> None:
    """`breakers_file` moves it, and then it has to be there."""
    settings = PipelineSettings(breakers_file="ops/b.json")
    with pytest.raises(ConfigError, match=r"breakers_file: there is no file ops/b\.json"):
        load_breakers(tmp_path, settings)
    write_files(
        tmp_path, {"ops/b.json": '{"per_step": {"static": {"max_fix_attempts_per_step": 0}}}'}
    )
    limits = load_breakers(tmp_path, settings).limits_for("static", bundle())
    assert limits.max_fix_attempts_per_step == 0


def test_every_error_is_listed(tmp_path: Path) -> None:
    """Unknown keys and steps and wrong values come at once, with their lines."""
    text = "defaults:\n  max_attempts_per_stp: 5\n  enable_fix_for_steps: [stat]\n"
    text += "per_step:\n  runtme: {}\n  static: {max_attempts_per_step: 0}\nextra: 1\n"
    unknown = "defaults.max_attempts_per_stp: unknown key; did you mean max_attempts_per_step?"
    not_a_step = "defaults.enable_fix_for_steps[0]: must be one of integrate, runtime, static,"
    not_a_step += ' not "stat"'
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert str(caught.value).splitlines() == [
        f"{FILE}: 5 errors",
        f"  line 2, column 3, {unknown}",
        f"  line 3, column 26, {not_a_step}",
        "  line 5, column 3, per_step.runtme: unknown key; did you mean runtime?",
        "  line 6, column 12, per_step.static.max_attempts_per_step: must be at least 1, not 0",
        "  line 7, column 1, extra: unknown key; known: defaults, per_step",
    ]


def test_a_step_without_budgets_has_the_defaults(tmp_path: Path) -> None:
    """A step that has no row of its own gets the general values and no FIX turns."""
    assert load_breakers(tmp_path).limits_for("edit", bundle()) == BreakerLimits(fix_enabled=False)
