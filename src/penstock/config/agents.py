"""config/agent_profiles.json: the agents of the escalation ladder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from penstock.config.decode import decode
from penstock.config.documents import ConfigFileError, Document, load_document
from penstock.config.profiles import load_tool_profiles
from penstock.errors import NotFoundError
from penstock.model.agents import AgentProfiles
from penstock.model.escalation import TIERS
from penstock.redact.names import secret_values

NAME = "config/agent_profiles.json"


def load_agent_profiles(root: Path) -> AgentProfiles | None:
    """Read the agents of a repository; None when it has no such file. `$schema` is left out.

    Raises ConfigError naming file and key of every error.
    """
    document = load_document(root / NAME, root=root)
    if document is None:
        return None
    if isinstance(document.value, dict):
        plain = {key: value for key, value in document.value.items() if key != "$schema"}
        document = Document(document.shown, plain, document.marks)
    return decode(document, AgentProfiles)


def given_secrets(root: Path) -> frozenset[str]:
    """Return the secrets among the variables that a repository's agents and tools are given in its
    files. Raises ConfigError."""
    given = [profile.env for profile in load_tool_profiles(root).values()]
    profiles = load_agent_profiles(root)
    if profiles is not None:
        table = profiles.agents
        given += [table.aider.env_vars, table.codex.env_vars, table.claude.env_vars]
    values = {value for env in given for value in secret_values(env)}
    return frozenset(value for value in values if "{" not in value)  # a placeholder is no secret


def require_tools(profiles: AgentProfiles, find: Callable[[str], object]) -> None:
    """Raise ConfigFileError naming every enabled agent whose tool `find` does not know."""
    problems = []
    for agent in TIERS:
        tool_id = profiles.profile(agent).tool
        if tool_id is None or not profiles.profile(agent).enabled:
            continue
        try:
            find(tool_id)
        except NotFoundError as error:
            problems.append(f"agents.{agent.value}.tool: {error}; {error.hint}")
    if problems:
        raise ConfigFileError(NAME, problems)
