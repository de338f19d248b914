"""Ten planted secrets of different kinds, a project whose tools tell them to everybody, and a search
for them in everything that is left behind."""

from __future__ import annotations

import base64
import json
import os
import random
import secrets
import sqlite3
import string
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from penstock.redact.literals import flatten
from tests.support.cli import PENSTOCK, Said, child
from tests.support.pipeline import Project
from tests.support.plugins import write_plugin
from tests.support.repos import write

AIM = (sys.executable, "-c", "from penstock.aim_cli.main import entry; entry()")
RUN = "run-canary"
_LETTERS = string.ascii_letters + string.digits

# What each program of the project tells: every known secret in every form, also cut by the end of a
# line and between two writes, and each that only its looks give away as it is.
TELL = """\
import base64, json, pathlib, sys, time
from urllib.parse import quote
known, looks = json.loads(pathlib.Path({plants!r}).read_text())
def forms(text):
    raw = text.encode()
    yield from (text, quote(text, safe=""), quote(text), json.dumps(text), json.dumps(json.dumps(text)))
    yield from (base64.b64encode(b"x" * n + raw + b"yz").decode() for n in range(4))
    yield from (base64.urlsafe_b64encode(raw).decode(), raw.hex(), raw.hex().upper())
    yield from (text[:9] + cut + text[9:] for cut in ("\\n", " \\\\\\n    ", "\\n  | ", "\\\\n"))
def tell(stream):
    for value in known:
        for form in forms(value):
            stream.write("it is " + form + " as I said\\n")
        stream.write("in two: " + value[:7])
        stream.flush()
        time.sleep(0.02)
        stream.write(value[7:] + " done\\n")
    for words in looks:
        stream.write(words + "\\n" + json.dumps({{"said": words}}) + "\\n")
    stream.flush()
tell(sys.stdout)
tell(sys.stderr)
"""
AGENT = (
    TELL
    + """\
path = pathlib.Path("ws-one.txt")
path.write_text("bad\\n" if path.read_text() == "begun\\n" else "good\\n")
sys.exit({code})
"""
)
CHECK = (
    TELL
    + """\
text = pathlib.Path("ws-one.txt").read_text()
for value in known + looks:
    print("ws-one.txt:1:1: L1 found " + " ".join(value.split()))
sys.exit("bad" in text)
"""
)
ADAPTER = """\
import json, pathlib, sys
known, looks = json.loads(pathlib.Path({plants!r}).read_text())
pathlib.Path("ws-two.txt").write_text("fine\\n")
said = {{"api_key": {own!r}, "stdout": " ".join(known), "said": looks, known[0]: {{"deep": known}}}}
print(json.dumps({{"success": {success}, "message": "all of " + " ".join(known + looks), "content": said}}))
"""
PLUGIN = """\
import json, pathlib
known, looks = json.loads(pathlib.Path({plants!r}).read_text())


class Teller:
    def check_tool_available(self):
        return True

    def build_command(self, path):
        return ["tell", path]

    def execute(self, path):
        if path.endswith("one.txt"):
            raise RuntimeError("cannot go on: " + " ".join(known + looks))
        found = [{{"tool": "tell", "message": said, "path": path, "line": 1}} for said in known + looks]
        from penstock.checks.plugins.port import PluginResult
        from penstock.model.finding import Finding

        issues = tuple(Finding(**each) for each in found)
        return PluginResult(
            plugin_id="tell", success=True, issues=issues, stdout=" ".join(known), stderr=" ".join(looks)
        )


def register():
    return Teller()
"""
CRASH = """\
import json, pathlib, sys
from penstock.cli.boundary import Boundary
known, looks = json.loads(pathlib.Path({plants!r}).read_text())
with Boundary(["run", "--json", "--token", known[0], *looks]) as boundary:
    raise ValueError("unforeseen: " + " ".join(known + looks))
sys.exit(boundary.code)
"""


class Plants:
    """The ten secrets, drawn afresh from a seed."""

    def __init__(self, seed: int) -> None:
        draw = random.Random(seed)
        self.draw = draw
        self.vault = self._word(40)
        self.environment = f'{self._word(12)}/"{self._word(6)}+é={self._word(6)}'
        self.address = self._word(20)
        self.agent = self._word(32)
        self.output = f"ghp_{self._word(36)}"
        self.prompt = f"sk-ant-api03-{self._word(93)}AA"
        self.exception = self._word(18)
        self.adapter = "".join(draw.choices("0123456789abcdef", k=32))
        self.check = self._word(24)
        body = base64.b64encode(draw.randbytes(600)).decode()
        self.key = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))

    def _word(self, length: int) -> str:
        return "".join(self.draw.choices(_LETTERS, k=length - 2)) + "x7"

    @property
    def known(self) -> list[str]:
        """Those that penstock can know."""
        return [self.vault, self.environment, self.address, self.agent]

    @property
    def looks(self) -> list[str]:
        """Words in which the others look like what they are."""
        return [
            f"pushed with {self.output}",
            f"a model's key: {self.prompt}",
            f"login failed: password='{self.exception}'",
            f"Authorization: Bearer {self.check}",
            f"-----BEGIN RSA PRIVATE KEY-----\n{self.key}\n-----END RSA PRIVATE KEY-----",
        ]

    def needles(self) -> dict[str, set[bytes]]:
        """Return what is searched for, by the name of the secret."""
        found = {name: _forms(value) for name, value in self.values().items()}
        lines = [_forms(line) for line in self.key.split("\n")[:-1]]
        return {**found, "key": set().union(*lines)}

    def values(self) -> dict[str, str]:
        """Return those of one line, by name."""
        names = (
            "vault", "environment", "address", "agent", "output", "prompt", "exception", "adapter",
            "check",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}


def _forms(text: str) -> set[bytes]:
    """Return a text as it is, in base64 at any place of a longer text, in URLs, JSON and hex."""
    raw = text.encode()
    cores = [base64.b64encode(b"\0" * n + raw)[(0, 2, 3)[n] :].rstrip(b"=")[:-1] for n in range(3)]
    urls = [quote(text, safe="").encode(), quote(text).encode()]
    as_json = [json.dumps(text)[1:-1].encode(), json.dumps(text, ensure_ascii=False)[1:-1].encode()]
    safe = [core.replace(b"+", b"-").replace(b"/", b"_") for core in cores]
    return {raw, *cores, *safe, *urls, *as_json, raw.hex().encode(), raw.hex().upper().encode()}


class Canary:
    """The project, the home of its user, and all that its commands have said."""

    def __init__(self, base: Path, seed: int) -> None:
        self.base = base
        self.plants = Plants(seed)
        self.said: list[tuple[str, bytes]] = []
        self.outside = base / "outside"
        self.outside.mkdir()
        self._plants = self.outside / "plants.json"
        self._plants.write_text(json.dumps([self.plants.known, self.plants.looks]))
        self.project = Project(base / "project", checkout_policy="warn")
        self.root = self.project.root
        for name in ("home", "tmp", "plugins"):
            (base / name).mkdir()
        self._plant()

    def _plant(self) -> None:
        """Write the programs that tell, and what the user's own files say."""
        given, plants = self.plants, str(self._plants)
        for name, code in (("agent", 0), ("first", 3), ("second", 0)):
            self.project.agent(AGENT.format(plants=plants, code=code), name)
        write(self.root, {"tools/lint.py": CHECK.format(plants=plants)})
        write(self.root, {"ws-one.txt": "begun\n", "ws-two.txt": "begun\n"})
        self._commit()
        manifest = {"plugin_id": "tell", "name": "Tell", "file_extensions": ["txt"]}
        write_plugin(self.base / "plugins", manifest, PLUGIN.format(plants=plants))
        self._adapters()
        env = {"OPENAI_API_KEY": given.agent}
        agents = {"aider": {"tool": "first", "env_vars": env}, "codex": {"tool": "agent"}}
        write(self.root, {"config/agent_profiles.json": json.dumps({"agents": agents})})
        task = [f"Log in with {given.prompt} {given.vault}\n{given.environment}", "then write"]
        self.project.bundle("ws-one", files_scope=["ws-one.txt"], tasks=task, tool="agent")
        self.project.bundle(
            "ws-two", tasks=task, tool="scripted", capability="tell",
            capability_payload={"prompt": task[0], "api_key": given.vault},
        )  # fmt: skip
        self.project.bundle("ws-three", tasks=task, tool="second", files_scope=["nothing.txt"])

    def _commit(self) -> None:
        for args in (("add", "-A", "."), ("commit", "-qm", "programs")):
            subprocess.run(["git", *args], cwd=self.root, check=True)

    def _adapters(self) -> None:
        """Write a registry with two programs that speak the adapter protocol: one fails."""
        tools = {}
        for name, success in (("loser", "False"), ("winner", "True")):
            path = self.outside / f"{name}.py"
            own = self.plants.adapter
            path.write_text(ADAPTER.format(plants=str(self._plants), own=own, success=success))
            tools[name] = {
                "name": name,
                "adapterScript": str(path),
                "detectCommands": [["python3"]],
            }
        place = ".AIM_ai-tools-registry"
        registry = {"version": "1.0", "tools": tools}
        write(self.root, {f"{place}/AIM_registry.json": json.dumps(registry)})
        self.project.rules(
            tell={"primary": "loser", "fallback": ["winner"]}, code_generation={"primary": "first"}
        )

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the user."""
        return {
            "HOME": str(self.base / "home"),
            "AIM_HOME": str(self.base / "home" / ".aim"),
            "AIM_VAULT": "age",
            "TMPDIR": str(self.base / "tmp"),
            "XDG_CACHE_HOME": str(self.base / "home" / ".cache"),
            "DEPLOY_TOKEN": self.plants.environment,
            "DATABASE_URL": f"postgres://svc:{self.plants.address}@db.example/x",
            "PIPELINE_ERROR_PLUGINS_PATH": str(self.base / "plugins"),
        }

    def __call__(
        self, *args: str, program: tuple[str, ...] = PENSTOCK, stdin: str | None = None
    ) -> Said:
        """Run a command and remember what it printed."""
        done = child(*args, cwd=self.root, env=self.environment, program=program, stdin=stdin)
        name = " ".join(args[:4])
        self.said += [
            (f"stdout of {name}", done.out.encode()),
            (f"stderr of {name}", done.err.encode()),
        ]
        return done

    def output_of(self, *args: str) -> str:
        """Return what a command printed that has run already."""
        wanted = f"stdout of {' '.join(args[:4])}"
        return next(text for name, text in self.said if name == wanted).decode()

    def python(self, code: str) -> Said:
        """Run a Python program that uses penstock."""
        return self("-c", code, program=(sys.executable,))

    # -- the search --------------------------------------------------------------------------
    def found(self) -> list[str]:
        """Return where a secret was found, in any form: none is as it shall be."""
        return self.found_in(self._everything())

    def found_in(self, everything: Iterable[tuple[str, bytes]]) -> list[str]:
        """Return where a secret was found among these."""
        needles, hits = self.plants.needles(), []
        for place, data in everything:
            text = data + b"\0" + flatten(data).data
            for name, forms in needles.items():
                if any(form in text for form in forms):
                    hits.append(f"{name} in {place}")
        return sorted(set(hits))

    def _everything(self) -> Iterator[tuple[str, bytes]]:
        """Yield all that is left, but for the user's own files and unchanged copies of them."""
        yield from self.said
        planted = [
            self.root / "config" / "agent_profiles.json",
            *self.root.glob("workstreams/*.json"),
        ]
        own = {path.read_bytes() for path in planted}
        for place in (self.root, self.base / "home", self.base / "tmp"):
            for path in sorted(place.rglob("*")):
                if (
                    path.is_file()
                    and not path.is_symlink()
                    and (data := path.read_bytes()) not in own
                ):
                    yield str(path.relative_to(self.base)), data
                    yield from _tables(path)
        yield "git's objects", _objects(self.root, planted)
        yield "git's messages", _git(self.root, "log", "--all", "--format=%an %B%N")


def _tables(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every value of a database, table by table."""
    with path.open("rb") as stream:
        if stream.read(15) != b"SQLite format 3":
            return
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        names = database.execute("select name from sqlite_master where type = 'table'").fetchall()
        for (name,) in names:
            rows = database.execute(f'select * from "{name}"').fetchall()  # noqa: S608 - its own
            cells = (cell for row in rows for cell in row if isinstance(cell, (str, bytes)))
            texts = [c.encode("utf-8", "replace") if isinstance(c, str) else c for c in cells]
            yield f"table {name} of {path.name}", b"\n".join(texts)


def _objects(root: Path, own: Iterable[Path]) -> bytes:
    """Return the contents of all objects but those files."""
    skipped = _git(root, "hash-object", *map(str, own)).split()
    listed = _git(root, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()
    wanted = b"\n".join(name for name in listed if name not in skipped)
    return _git(root, "cat-file", "--batch", stdin=wanted)


def _git(root: Path, *args: str, stdin: bytes = b"") -> bytes:
    command = ["git", *args]
    return subprocess.run(command, cwd=root, input=stdin, capture_output=True, check=True).stdout


def fresh_seed() -> int:
    """Draw a seed; PENSTOCK_CANARY_SEED repeats one."""
    given: Mapping[str, str] = os.environ
    return int(given.get("PENSTOCK_CANARY_SEED") or secrets.randbelow(1 << 32))
