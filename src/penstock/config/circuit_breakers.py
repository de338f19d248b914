"""config/circuit_breakers.yaml: the budgets of the FIX loop, and what overrides them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from penstock.config.decode import decode
from penstock.config.documents import ConfigFileError, Document, load_document
from penstock.config.pipeline import find_document
from penstock.model.bundle import BreakerOverrides, Bundle
from penstock.model.settings import BreakerLimits, PipelineSettings

Step = Literal["static", "runtime", "integrate"]
_COUNT = Annotated[int, Meta(ge=0)]


class StepBudgets(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Budgets as a file gives them; what it does not give is UNSET."""

    max_attempts_per_step: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    max_fix_attempts_per_step: _COUNT | UnsetType = UNSET
    max_attempts_per_error_signature: _COUNT | UnsetType = UNSET
    oscillation_window: _COUNT | UnsetType = UNSET
    oscillation_threshold: _COUNT | UnsetType = UNSET
    max_wall_clock_s: Annotated[float, Meta(ge=0)] | UnsetType = UNSET


class DefaultBudgets(StepBudgets, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The budgets of every step, and for which steps FIX turns are made."""

    enable_fix_for_steps: tuple[Step, ...] = ("static", "runtime", "integrate")


class PerStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for one step only."""

    static: StepBudgets = StepBudgets()
    runtime: StepBudgets = StepBudgets()
    integrate: StepBudgets = StepBudgets()


class BreakerFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    defaults: DefaultBudgets = DefaultBudgets()
    per_step: PerStep = PerStep()


PACKAGED = PerStep(
    static=StepBudgets(max_attempts_per_step=3, max_fix_attempts_per_step=2),
    runtime=StepBudgets(max_attempts_per_step=2, max_fix_attempts_per_step=1),
    integrate=StepBudgets(max_attempts_per_step=3, max_fix_attempts_per_step=2),
)


class BreakerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The budgets by step before the bundle's overrides, and the steps that get FIX turns."""

    steps: dict[str, BreakerLimits]
    enable_fix_for_steps: tuple[str, ...]

    def limits_for(self, step: str, bundle: Bundle) -> BreakerLimits:
        """Return the budgets of a step (static, runtime, integrate) for a bundle, all overrides applied.

        Raises ConfigError when the bundle's own `circuit_breaker` is wrong.
        """
        return msgspec.structs.replace(
            self.steps.get(step, BreakerLimits()),
            **_bundle_changes(bundle),
            max_cost_usd=bundle.max_cost_usd,
            fix_enabled=step in self.enable_fix_for_steps,
        )


class _BundleBudgets(BreakerOverrides, frozen=True, kw_only=True):
    max_wall_clock_s: Annotated[float, Meta(ge=0)] | None = None


_BUNDLE_KEYS = {
    "max_attempts": "max_attempts_per_step",
    "max_error_repeats": "max_attempts_per_error_signature",
    "oscillation_threshold": "oscillation_threshold",
    "max_wall_clock_s": "max_wall_clock_s",
}


def _bundle_changes(bundle: Bundle) -> dict[str, Any]:
    shown = f"{bundle.id}: circuit_breaker"
    given = decode(Document(shown, bundle.circuit_breaker), _BundleBudgets)
    values = {ours: getattr(given, theirs) for theirs, ours in _BUNDLE_KEYS.items()}
    return {name: value for name, value in values.items() if value is not None}


def load_breakers(root: Path, settings: PipelineSettings | None = None) -> BreakerConfig:
    """Read the file that `breakers_file` names, else config/circuit_breakers.yaml (.yml, .json).

    Raises ConfigError naming file and key of every error.
    """
    chosen = (settings or PipelineSettings()).breakers_file
    default = PipelineSettings().breakers_file
    if chosen == default:
        stem = default.removesuffix(".yaml")
        document = find_document(root, (default, f"{stem}.yml", f"{stem}.json"))
    else:
        document = load_document(root / chosen, root=root)
        if document is None:
            raise ConfigFileError(
                "config/pipeline.yaml", [f"breakers_file: there is no file {chosen}"]
            )
    if document is None or document.value is None:
        return make_breakers(BreakerFile())
    return make_breakers(decode(document, BreakerFile))


def make_breakers(file: BreakerFile) -> BreakerConfig:
    """Merge key by key: packaged defaults, packaged steps, the file's defaults, the file's steps.

    A default that the file gives itself wins over the packaged value of a step.
    """
    steps = {}
    for step in PerStep.__struct_fields__:
        layers = (getattr(PACKAGED, step), file.defaults, getattr(file.per_step, step))
        merged: dict[str, Any] = {}
        for layer in layers:
            merged |= _set_keys(layer)
        steps[step] = BreakerLimits(**merged)
    return BreakerConfig(steps=steps, enable_fix_for_steps=file.defaults.enable_fix_for_steps)


def _set_keys(budgets: StepBudgets) -> dict[str, Any]:
    names = StepBudgets.__struct_fields__
    values = {name: getattr(budgets, name) for name in names}
    return {name: value for name, value in values.items() if value is not UNSET}
