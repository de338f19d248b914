"""Write docs/reference/secret-rules.md from the rules of the secret scan."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.leaks.rule import Rule

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "reference" / "secret-rules.md"
HEAD = """\
# Rules of the secret scan

Made by `scripts/generate_secret_rules.py`. [Find secrets](../how-to/find-secrets.md) uses them, and so does the
[check](checks.md) `secrets`; those of the level `certain` also take secrets out of everything that penstock writes.

How a value is judged: one that names itself an example (`EXAMPLE`, `changeme`, `your-key`), refers to a variable,
repeats itself, counts up, or is an example of a standard is none below the level `all`. What has no shape of its own
must be given to a name that says secret (`password`, `API_KEY`, `signing_key`; not `password_hash`, `public_key`), and must
not look like a word, a name, a path, a version or code: the pairs of its letters tell words from what was drawn.
"""


def page() -> str:
    """Return the page: rules by what gives a secret away."""
    from penstock.leaks.named import PROVIDERS
    from penstock.leaks.rules import PASSWORD, SECRET, SHAPED
    from penstock.leaks.structures import STRUCTURES

    shape = "Known by their own shape, wherever they stand; only what looks random counts."
    near = "The shape alone may be anything. They count where the value is given to a name that says secret, and the"
    sections = (
        ("Keys with a shape", shape, SHAPED, rows_by_provider),
        (
            "Keys with their provider's name",
            f"{near}\nprovider is named in it or up to 100 bytes before.",
            PROVIDERS,
            rows_by_provider,
        ),
        ("Everything else", "Known by what is around them.", (*STRUCTURES, PASSWORD, SECRET), rows),
    )
    return HEAD + "".join(
        f"\n## {title}\n\n{text}\n\n{make(rules)}" for title, text, rules, make in sections
    )


def rows_by_provider(rules: tuple[Rule, ...]) -> str:
    """Return a table with a row for each provider."""
    by_provider: dict[str, list[Rule]] = {}
    for rule in sorted(rules, key=lambda rule: (rule.provider.lower(), rule.id)):
        by_provider.setdefault(rule.provider, []).append(rule)
    lines = [
        f"| {provider} | {', '.join(f'`{rule.id}`' for rule in theirs)} |\n"
        for provider, theirs in by_provider.items()
    ]
    return "| provider | rules |\n|---|---|\n" + "".join(lines)


def rows(rules: tuple[Rule, ...]) -> str:
    """Return a table with a row for each rule."""
    lines = [f"| `{rule.id}` | {rule.title} | `{rule.level}` |\n" for rule in rules]
    return "| rule | what | level |\n|---|---|---|\n" + "".join(lines)


def main() -> int:
    """Write the page and name it."""
    sys.path.insert(0, str(ROOT / "src"))
    TARGET.write_text(page(), encoding="utf-8")
    print(TARGET.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
