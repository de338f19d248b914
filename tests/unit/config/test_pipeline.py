"""config/pipeline.yaml: every key, every kind of mistake, and where each value came from."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from penstock.config.pipeline import DEFAULT, Loaded, load_pipeline
from penstock.errors import ConfigError
from penstock.model.settings import (
    BudgetMode,
    CheckoutPolicy,
    DayLimits,
    Durability,
    Limits,
    OverlapPolicy,
    PipelineSettings,
    PlanSettings,
    Price,
    ScopePolicy,
    SecretsPolicy,
    SecretsSettings,
    WorktreeSettings,
)
from tests.support.repofiles import write_files

FULL = """\
db: state/other.db
default_tool: aider
static_tools: [ruff, mypy]
runtime_tools: []
worktree:
  copy: [.env]
  symlink: [.venv]
  setup: ["python3 -m venv .venv"]
  pool: 2
limits:
  max_parallel: 8
  tools: {codex: 1}
  capabilities: {linting: 2}
  wall_s: 600
  idle_s: 60.5
  max_cost_usd: 2.5
  max_tokens: 1000000
  per_day: {max_cost_usd: 10, max_tokens: 5000000}
  budget_mode: warn
  allow_unpriced: true
  turn_tokens: 20000
  context_tokens: 200000
  min_free_mb: 500
  max_worktrees: 12
  max_lost_attempts: 5
  wait_s: 0
prices:
  "gpt-5.5": {input: 0.001, output: 0.01, cache_read: 0, cache_write: 0.002}
overlap_policy: serialise
scope_policy: revert
checkout_policy: warn
secrets: {policy: warn, level: certain, baseline: config/secrets.json}
plan:
  group_by: language
  max_files: 5
  max_tasks: 6
  max_lines: 700
  max_context_tokens: 8000
  threshold: 0.75
  capability: code_generation
  write_back: false
  issue_comments: true
  issue_labels: {done: review}
protected_paths: ["migrations/**"]
approvals: [2, 3]
breakers_file: config/breakers.yaml
durability: normal
"""


def load(tmp_path: Path, text: str, name: str = "config/pipeline.yaml") -> Loaded:
    """Load a repository's settings from a text."""
    return load_pipeline(write_files(tmp_path, {name: text}), environ={})


def problems(tmp_path: Path, text: str) -> list[str]:
    """Return the lines of the error that a text gives."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    return str(caught.value).splitlines()


def test_without_a_file_the_defaults_serve(tmp_path: Path) -> None:
    """Every setting has a packaged default, and says so."""
    loaded = load_pipeline(tmp_path, environ={})
    assert loaded.settings == PipelineSettings()
    assert {origin.source for origin in loaded.origins.values()} == {DEFAULT}


def test_every_key_is_read(tmp_path: Path) -> None:
    """A file with all keys gives just these settings."""
    assert load(tmp_path, FULL).settings == PipelineSettings(
        db="state/other.db",
        default_tool="aider",
        static_tools=("ruff", "mypy"),
        runtime_tools=(),
        worktree=WorktreeSettings(
            copy=(".env",), symlink=(".venv",), setup=("python3 -m venv .venv",), pool=2
        ),
        limits=Limits(
            max_parallel=8,
            tools={"codex": 1},
            capabilities={"linting": 2},
            wall_s=600.0,
            idle_s=60.5,
            max_cost_usd=2.5,
            max_tokens=1_000_000,
            per_day=DayLimits(max_cost_usd=10.0, max_tokens=5_000_000),
            budget_mode=BudgetMode.WARN,
            allow_unpriced=True,
            turn_tokens=20_000,
            context_tokens=200_000,
            min_free_mb=500,
            max_worktrees=12,
            max_lost_attempts=5,
            wait_s=0.0,
        ),
        prices={"gpt-5.5": Price(input=0.001, output=0.01, cache_read=0.0, cache_write=0.002)},
        overlap_policy=OverlapPolicy.SERIALISE,
        scope_policy=ScopePolicy.REVERT,
        checkout_policy=CheckoutPolicy.WARN,
        secrets=SecretsSettings(
            policy=SecretsPolicy.WARN, level="certain", baseline="config/secrets.json"
        ),
        plan=PlanSettings(
            group_by="language",
            max_files=5,
            max_tasks=6,
            max_lines=700,
            max_context_tokens=8000,
            threshold=0.75,
            capability="code_generation",
            write_back=False,
            issue_comments=True,
            issue_labels={"done": "review"},
        ),
        protected_paths=("migrations/**",),
        approvals=(2, 3),
        breakers_file="config/breakers.yaml",
        durability=Durability.NORMAL,
    )


def test_the_full_example_names_every_key(tmp_path: Path) -> None:
    """No key is left out of the test above when one is added."""
    loaded = load(tmp_path, FULL)
    assert {origin.source for origin in loaded.origins.values()} == {"config/pipeline.yaml"}


def test_each_value_knows_its_origin(tmp_path: Path) -> None:
    """Keys of the file come from the file, their neighbours from the defaults."""
    origins = load(tmp_path, "limits: {wall_s: 5}\n").origins
    assert origins["limits.wall_s"].source == "config/pipeline.yaml"
    assert origins["limits.wall_s"].value == 5.0
    assert origins["limits.idle_s"].source == DEFAULT
    assert origins["limits.per_day.max_tokens"].source == DEFAULT


def test_the_database_is_chosen_by_rank(tmp_path: Path) -> None:
    """Option, then environment, then file, then default."""
    write_files(tmp_path, {"config/pipeline.yaml": "db: file.db\n"})
    env = {"PIPELINE_DB_PATH": "env.db"}
    by_file = load_pipeline(tmp_path, environ={})
    by_env = load_pipeline(tmp_path, environ=env)
    by_option = load_pipeline(tmp_path, option_db="option.db", environ=env)
    assert [x.settings.db for x in (by_file, by_env, by_option)] == [
        "file.db",
        "env.db",
        "option.db",
    ]
    assert by_env.origins["db"].source == "environment PIPELINE_DB_PATH"
    assert by_option.origins["db"].source == "option --db"


def test_yml_is_read_and_two_files_are_a_doubt(tmp_path: Path) -> None:
    """The short suffix works; both at once is an error, for one would be ignored."""
    assert load(tmp_path, "db: x.db\n", "config/pipeline.yml").settings.db == "x.db"
    assert "config/pipeline.yml is there too" in problems(tmp_path, "db: y.db\n")[0]


def test_a_file_of_comments_changes_nothing(tmp_path: Path) -> None:
    """What `penstock init` writes, all commented out, is the default."""
    assert load(tmp_path, "# db: x\n").settings == PipelineSettings()


def test_every_error_is_listed_in_the_order_of_the_file(tmp_path: Path) -> None:
    """All mistakes of a file come at once, each with line, key and what is right."""
    text = """\
limits:
  max_paralel: 3
  max_parallel: 0
  wall_s: long
  per_day: {max_tokens: no}
prices:
  m: {input: -1}
scope_policy: ignore
approvals: [1, two, 0]
static_tools: [true]
"""
    assert problems(tmp_path, text) == [
        "config/pipeline.yaml: 10 errors",
        "  line 2, column 3, limits.max_paralel: unknown key; did you mean max_parallel?",
        "  line 3, column 3, limits.max_parallel: must be at least 1, not 0",
        '  line 4, column 3, limits.wall_s: expected a number or null, got "long"',
        "  line 5, column 13, limits.per_day.max_tokens: expected a whole number or null, got false",
        "  line 7, column 3, prices.m: output is missing",
        "  line 7, column 7, prices.m.input: must be at least 0, not -1",
        '  line 8, column 1, scope_policy: must be one of fail, revert, not "ignore"',
        '  line 9, column 16, approvals[1]: expected a whole number, got "two"',
        "  line 9, column 21, approvals[2]: must be at least 1, not 0",
        "  line 10, column 16, static_tools[0]: expected text, got true",
    ]


SINGLE = {
    "unknown": ("dbs: x\n", "line 1, column 1, dbs: unknown key; did you mean db?"),
    "hyphens": ("scope-policy: fail\n", "did you mean scope_policy?"),
    "unlike anything": ("zzz: x\n", "zzz: unknown key; known: approvals, "),
    "list": ("- 1\n", "line 1, column 1: expected a mapping, got [1]"),
    "text": ("hello\n", 'line 1, column 1: expected a mapping, got "hello"'),
    "null for text": ("db: ~\n", "db: expected text, got null"),
    "null for a mapping": ("limits:\n", "limits: expected a mapping, got null"),
    "text for a list": ("static_tools: ruff\n", 'expected a list or null, got "ruff"'),
    "negative": ("worktree: {pool: -1}\n", "worktree.pool: must be at least 0, not -1"),
    "zero seconds": ("limits: {wall_s: 0}\n", "limits.wall_s: must be greater than 0, not 0"),
    "fraction": ("limits: {max_parallel: 2.5}\n", "max_parallel: expected a whole number, got 2.5"),
    "whole fraction": ("limits: {max_parallel: 2.0}\n", "Expected `int`, got `float`"),
    "enum or null": ("checkout_policy: halt\n", "must be one of stop, warn"),
    "long value": (f"durability: {'x' * 99}\n", "xxx..."),
    "deep key": ("limits: {per_day: {max_cost: 1}}\n", "did you mean max_cost_usd?"),
}


@pytest.mark.parametrize("case", SINGLE)
def test_a_mistake_names_file_and_key(tmp_path: Path, case: str) -> None:
    """A single mistake is one line that names file and key."""
    text, expected = SINGLE[case]
    lines = problems(tmp_path, text)
    assert len(lines) == 1
    assert lines[0].startswith("config/pipeline.yaml: ")
    assert expected in lines[0]


def test_settings_survive_a_round_trip(tmp_path: Path) -> None:
    """What is read can be written as JSON and read again unchanged."""
    settings = load(tmp_path, FULL).settings
    again = msgspec.json.decode(msgspec.json.encode(settings), type=PipelineSettings)
    assert again == settings
