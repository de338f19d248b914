"""Settings as values: what pipeline.yaml, circuit_breakers.yaml and tool_profiles.json come to."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

Positive = Annotated[float, Meta(gt=0)]
Amount = Annotated[float, Meta(ge=0)]


class ScopePolicy(StrEnum):
    """What happens to an edit outside the scope."""

    FAIL = "fail"
    REVERT = "revert"


class CheckoutPolicy(StrEnum):
    """What happens when a tool turn coincides with a change in the user's own checkout."""

    STOP = "stop"
    WARN = "warn"


class OverlapPolicy(StrEnum):
    """What becomes of bundles that claim the same files.

    They are refused, run one after the other, or run side by side and are sorted out when merged.
    """

    REFUSE = "refuse"
    SERIALISE = "serialise"
    MERGE = "merge"


class SecretsPolicy(StrEnum):
    """What happens to a workstream whose commits bring a secret.

    It is stopped before it is merged, unless a FIX turn takes the secret out; the finding is only
    recorded; or nobody looks.
    """

    STOP = "stop"
    WARN = "warn"
    OFF = "off"


class BudgetMode(StrEnum):
    """What happens at a cap: nothing starts any more, a warning is recorded, or nothing at all."""

    HALT = "halt"
    WARN = "warn"
    CONTINUE = "continue"


class Durability(StrEnum):
    """How hard the journal pushes each commit to the disk."""

    FULL = "full"
    NORMAL = "normal"


class WorktreeSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What a worktree gets beside git's files.

    `copy` and `symlink` are repo-relative paths or globs of ignored files; `setup` are commands
    (no shell) run once in a worktree that is made anew. `pool` is how many idle worktrees are kept.
    """

    copy: tuple[str, ...] = ()
    symlink: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()
    pool: Annotated[int, Meta(ge=0)] = 4


class DayLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits over a UTC day."""

    max_cost_usd: Amount | None = None
    max_tokens: Annotated[int, Meta(ge=0)] | None = None


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of a run.

    `tools` and `capabilities` say how many workstreams may hold one at a time, by name; one that is
    not named has no limit. `wall_s` and `idle_s` bound one tool turn (seconds, None = the tool's
    default); the cost and token limits bound the run, `budget_mode` says how. `allow_unpriced` lets
    tools without a known price run under a cost limit. `turn_tokens` is reserved for a turn when
    nothing better is known; `context_tokens` is the longest prompt that a model takes.
    `min_free_mb` is the disk space below which nothing starts, `max_worktrees` how many of ours
    there may be (None = any number). `max_lost_attempts` is how often an attempt may be lost before
    its workstream is quarantined. `wait_s` is how long a rate limit is slept through before the
    process ends and waits to be resumed.
    """

    max_parallel: Annotated[int, Meta(ge=1)] = 4
    tools: dict[str, Annotated[int, Meta(ge=1)]] = field(default_factory=dict)
    capabilities: dict[str, Annotated[int, Meta(ge=1)]] = field(default_factory=dict)
    wall_s: Positive | None = None
    idle_s: Positive | None = None
    max_cost_usd: Amount | None = None
    max_tokens: Annotated[int, Meta(ge=0)] | None = None
    per_day: DayLimits = DayLimits()
    budget_mode: BudgetMode = BudgetMode.HALT
    allow_unpriced: bool = False
    turn_tokens: Annotated[int, Meta(ge=1)] | None = None
    context_tokens: Annotated[int, Meta(ge=1)] = 128_000
    min_free_mb: Annotated[int, Meta(ge=0)] = 200
    max_worktrees: Annotated[int, Meta(ge=1)] | None = None
    max_lost_attempts: Annotated[int, Meta(ge=1)] = 3
    wait_s: Amount = 900.0


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """USD per 1000 tokens."""

    input: Amount
    output: Amount
    cache_read: Amount | None = None
    cache_write: Amount | None = None


class SecretsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The gate for secrets before a workstream is merged.

    `level` is how sure it has to be: `certain` knows shapes of providers only, `default` also
    assignments that look real, `all` whatever might be one. `baseline` lists those that may stay, in
    the user's own checkout.
    """

    policy: SecretsPolicy = SecretsPolicy.STOP
    level: Literal["certain", "default", "all"] = "default"
    baseline: str = ".aim-secrets-baseline.json"


class PlanSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How plans are read and written back; `--options` goes before the first of them.

    `group_by` is what makes a workstream, the `max_` keys are its limits (files, tasks, estimated
    lines and tokens), `threshold` is the confidence that a guessed path needs, `capability` goes into
    the bundles. `write_back` lets `penstock sync` change sources, `issue_comments` lets lifecycle events
    be told to the issue tracker, where `issue_labels` are put on the issue, by what became of it.
    """

    group_by: Literal["auto", "story", "group", "issue", "directory", "language", "item", "all"] = (
        "auto"
    )
    max_files: Annotated[int, Meta(ge=1)] = 20
    max_tasks: Annotated[int, Meta(ge=1)] = 20
    max_lines: Annotated[int, Meta(ge=1)] = 2000
    max_context_tokens: Annotated[int, Meta(ge=1)] = 100_000
    threshold: Annotated[float, Meta(ge=0, le=1)] = 0.5
    capability: Annotated[str, Meta(min_length=1)] | None = None
    write_back: bool = True
    issue_comments: bool = False
    issue_labels: dict[
        Literal["started", "done", "failed", "quarantined", "canceled", "integrated"],
        Annotated[str, Meta(min_length=1)],
    ] = field(default_factory=dict)


class PipelineSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """All keys of config/pipeline.yaml. `static_tools`/`runtime_tools`: None = detected, () = none."""

    db: str = "state/pipeline.db"
    default_tool: str | None = None
    static_tools: tuple[str, ...] | None = None
    runtime_tools: tuple[str, ...] | None = None
    worktree: WorktreeSettings = WorktreeSettings()
    limits: Limits = Limits()
    prices: dict[str, Price] = field(default_factory=dict)
    overlap_policy: OverlapPolicy = OverlapPolicy.REFUSE
    scope_policy: ScopePolicy = ScopePolicy.FAIL
    checkout_policy: CheckoutPolicy | None = None
    secrets: SecretsSettings = SecretsSettings()
    plan: PlanSettings = PlanSettings()
    protected_paths: tuple[str, ...] = ()
    approvals: tuple[Annotated[int, Meta(ge=1)], ...] = ()
    breakers_file: str = "config/circuit_breakers.yaml"
    durability: Durability = Durability.FULL


class BreakerLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The budgets of one step, with all overrides applied. 0 switches signature/oscillation off.

    `max_wall_clock_s` bounds a workstream from its first attempt on (seconds, 0 = no bound);
    `max_cost_usd` bounds its cost, None = no bound.
    """

    max_attempts_per_step: Annotated[int, Meta(ge=1)] = 3
    max_fix_attempts_per_step: Annotated[int, Meta(ge=0)] = 2
    max_attempts_per_error_signature: Annotated[int, Meta(ge=0)] = 3
    oscillation_window: Annotated[int, Meta(ge=0)] = 4
    oscillation_threshold: Annotated[int, Meta(ge=0)] = 2
    max_wall_clock_s: Amount = 14400.0
    max_cost_usd: Amount | None = None
    fix_enabled: bool = True


SecretName = Annotated[str, Meta(pattern="^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
"""A secret is named like the environment variable that hands it on."""


class ToolProfile(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of config/tool_profiles.json (underscore keys; hyphens are accepted on reading).

    `args` and `env` may hold placeholders: {cwd} {repo_root} {worktree_path} {prompt_file}
    {model_name} {message} {file} and context keys. `secrets` are those of the vault and the
    environment that the command is given, and no other; None leaves that to the adapter.
    """

    tool_id: str
    command: str
    type: Literal["utility", "test", "static-check", "ai"] = "utility"
    args: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    working_dir: str = "{worktree_path}"
    timeout_sec: Positive = 60.0
    success_exit_codes: tuple[int, ...] = (0,)
    capture_output: bool = True
    aim_tool_id: str | None = None
    aim_capabilities: tuple[str, ...] = ()
    secrets: tuple[SecretName, ...] | None = None


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a setting came from, for people: `option --db`, `environment PIPELINE_DB_PATH`, a file."""

    value: Any
    source: str
