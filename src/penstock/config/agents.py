"""config/agent_profiles.json: the agents of the escalation ladder."""

from __future__ import annotations

from pathlib import Path

from penstock.config.decode import decode
from penstock.config.documents import Document, load_document
from penstock.model.agents import AgentProfiles

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
        document = Document(document.shown, plain, document.lines)
    return decode(document, AgentProfiles)
