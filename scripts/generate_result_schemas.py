"""Write the JSON Schemas of results, reports, requests and the files of AIM from the types."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def documents() -> dict[str, str]:
    """Return the text of each schema by its path from the top of the repository."""
    import msgspec

    from penstock.cli.documents import GraphDocument, RunDocument, ValidationDocument
    from penstock.cli.plan_document import PlanDocument
    from penstock.model.agents import AgentProfiles
    from penstock.model.error_report import AttemptReport
    from penstock.model.escalation import EscalationContext
    from penstock.model.execution import ExecutionRequest
    from penstock.model.router import RouterConfig
    from penstock.registry.schemas import KINDS, aim_schema

    types: dict[str, type] = {
        "run-result": RunDocument,
        "validate-result": ValidationDocument,
        "graph-result": GraphDocument,
        "plan-result": PlanDocument,
        "execution_request": ExecutionRequest,
        "router_config": RouterConfig,
        "agent_profiles": AgentProfiles,
        "error_report": AttemptReport,
        "error_context": EscalationContext,
    }
    schemas: dict[str, Any] = {
        name: {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": f"penstock {name}",
            **msgspec.json.schema(kind),
        }
        for name, kind in types.items()
    }
    schemas |= {name: aim_schema(name) for name in KINDS}
    return {
        f"schema/{name}.schema.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in schemas.items()
    }


def main() -> int:
    """Write all of them and name them."""
    sys.path.insert(0, str(ROOT / "src"))
    for path, text in documents().items():
        (ROOT / path).write_text(text, encoding="utf-8")
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
