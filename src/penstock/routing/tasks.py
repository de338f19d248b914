"""Which app of router_config.json a task goes to, and the router that remembers whose turn it was."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from penstock.errors import NotFoundError
from penstock.model.capability import CapabilityRule, Strategy
from penstock.model.router import (
    App,
    AppCapabilities,
    AppLimits,
    Match,
    RouterConfig,
    RouterRule,
)
from penstock.routing.api import RoutePolicy, ToolState
from penstock.routing.order import in_order, load

POLICY = RoutePolicy()


class TaskRoute(msgspec.Struct, frozen=True, kw_only=True):
    """Where a task goes: the app (None: nowhere), the rule that said so (None: by its kind), why."""

    tool_id: str | None
    reason: str
    rule: RouterRule | None = None


class Rotation(Protocol):
    """Remembers whose turn it was, across processes: the journal does."""

    def last_routed(self, key: str) -> str | None:
        """Return who had the last turn of a rotation, or None."""
        ...

    def set_last_routed(self, key: str, tool_id: str) -> None:
        """Keep who had it."""
        ...


def decide_task(
    config: RouterConfig,
    task_kind: str,
    *,
    risk_tier: str | None = None,
    complexity: str | None = None,
    domain: str | None = None,
    states: Mapping[str, ToolState],
    last_used: Callable[[RouterRule], str | None],
    now: float,
) -> TaskRoute:
    """Return where a task goes.

    The first rule that matches and has an app to give decides; else the first app of the file with
    the kind of task and, when one is given, the domain. `states` are what is known of apps (an
    unknown one is healthy), `now` is seconds since the epoch.
    """
    for rule in config.routing.rules:
        if not matches(rule.match, task_kind, risk_tier, complexity):
            continue
        strategy = rule.strategy or config.defaults.strategy
        order = choices(rule, strategy, states, last_used=last_used(rule), now=now)
        if order:
            reason = f"rule {rule.id} ({strategy.value})"
            return TaskRoute(tool_id=order[0], reason=reason, rule=rule)
    for app_id, app in config.apps.items():
        if offers(app.capabilities, task_kind, domain):
            return TaskRoute(tool_id=app_id, reason=f"the first app that offers {task_kind}")
    return TaskRoute(tool_id=None, reason=f"no rule and no app is for {task_kind}")


def matches(match: Match, task_kind: str, risk_tier: str | None, complexity: str | None) -> bool:
    """Tell whether a rule is for a task; what either side leaves open is not compared."""
    levels = (match.complexity,) if isinstance(match.complexity, str) else match.complexity
    return (
        (not match.task_kind or task_kind in match.task_kind)
        and (risk_tier is None or not match.risk_tier or risk_tier in match.risk_tier)
        and (complexity is None or not levels or complexity in levels)
    )


def offers(capabilities: AppCapabilities, task_kind: str, domain: str | None) -> bool:
    """Tell whether an app does a kind of task in a domain (one without domains does it in any)."""
    if task_kind not in capabilities.task_kinds:
        return False
    return domain is None or not capabilities.domains or domain in capabilities.domains


def choices(
    rule: RouterRule,
    strategy: Strategy,
    states: Mapping[str, ToolState],
    *,
    last_used: str | None,
    now: float,
) -> tuple[str, ...]:
    """Return the apps of a rule in the order of a strategy; only `auto` looks at their health."""
    named = tuple(dict.fromkeys(rule.select_from))
    known = [states.get(app_id) or ToolState(tool_id=app_id) for app_id in named]
    if strategy is Strategy.AUTO:
        known = [state for state in known if _free(state, now)]
    if not known:
        return ()
    order = CapabilityRule(primary=named[0], fallback=named[1:], strategy=strategy)
    return in_order(named, known, order, last_used=last_used, policy=POLICY)


def _free(state: ToolState, now: float) -> bool:
    cooling = state.cooling_until is not None and state.cooling_until > now
    return state.unavailable is None and not cooling and load(state) < 1.0


def command_of(app: App) -> tuple[str, ...]:
    """Return the argument list of an app."""
    return tuple(shlex.split(app.command)) if isinstance(app.command, str) else app.command


class TaskRouter:
    """The router of ExecutionRequests over one configuration.

    `rotation` remembers whose turn it was (None: forget it), `states` tells what is known of the
    apps at this moment, `clock` gives seconds since the epoch.
    """

    def __init__(
        self,
        config: RouterConfig,
        *,
        clock: Callable[[], float],
        rotation: Rotation | None = None,
        states: Callable[[], Mapping[str, ToolState]] = dict,
    ) -> None:
        self.config = config
        self._clock, self._rotation, self._states = clock, rotation, states

    def route_task(
        self,
        task_kind: str,
        risk_tier: str | None = None,
        complexity: str | None = None,
        domain: str | None = None,
    ) -> str | None:
        """Return the app that a task goes to, or None; a rotation goes on by one."""
        route = self.decide(task_kind, risk_tier, complexity, domain)
        if self._rotation is not None and route.rule is not None and self._rotates(route.rule):
            self._rotation.set_last_routed(_key(route.rule), str(route.tool_id))
        return route.tool_id

    def decide(
        self,
        task_kind: str,
        risk_tier: str | None = None,
        complexity: str | None = None,
        domain: str | None = None,
    ) -> TaskRoute:
        """Return where a task would go and why, changing nothing."""
        return decide_task(
            self.config,
            task_kind,
            risk_tier=risk_tier,
            complexity=complexity,
            domain=domain,
            states=self._states(),
            last_used=self._last_used,
            now=self._clock(),
        )

    def _rotates(self, rule: RouterRule) -> bool:
        return (rule.strategy or self.config.defaults.strategy) is Strategy.ROUND_ROBIN

    def _last_used(self, rule: RouterRule) -> str | None:
        if self._rotation is None or not self._rotates(rule):
            return None
        return self._rotation.last_routed(_key(rule))

    def get_tool_config(self, tool_id: str) -> App:
        """Return the entry of an app. Raises NotFoundError."""
        if tool_id not in self.config.apps:
            known = ", ".join(self.config.apps) or "none"
            raise NotFoundError(f"there is no app {tool_id!r} in the router; known: {known}")
        return self.config.apps[tool_id]

    def get_tool_command(self, tool_id: str) -> tuple[str, ...]:
        """Return the argument list of an app. Raises NotFoundError."""
        return command_of(self.get_tool_config(tool_id))

    def get_tool_limits(self, tool_id: str) -> AppLimits:
        """Return the limits of an app. Raises NotFoundError."""
        return self.get_tool_config(tool_id).limits

    def get_tool_capabilities(self, tool_id: str) -> AppCapabilities:
        """Return what an app can do. Raises NotFoundError."""
        return self.get_tool_config(tool_id).capabilities

    def list_tools(self) -> Sequence[str]:
        """Return the ids of all apps in the order of the file."""
        return tuple(self.config.apps)


def _key(rule: RouterRule) -> str:
    return f"router:{rule.id}"
