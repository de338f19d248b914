"""`aim secrets`: keeping, looking, handing on, and what the trail says of it."""

from __future__ import annotations

import io
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from penstock.aim_cli import clipboard
from penstock.aim_cli.main import main
from tests.support.cli import Said, child, git, make_repository
from tests.support.registries import write_config
from tests.support.terminal import on_terminal, shown
from tests.support.vaults import SECRET, private

AIM = (sys.executable, "-m", "penstock.aim_cli")
TRAIL = ".AIM_ai-tools-registry/AIM_audit"


class Desk:
    """A repository of a user with a vault of his own, and `aim secrets` in it."""

    def __init__(
        self, root: Path, home: Path, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch
    ) -> None:
        self.root, self.home = root, home
        self._capsys, self._patch = capsys, patch

    def __call__(self, *args: str, stdin: str | bytes | None = None) -> Said:
        """Run one command line; `stdin` is what is piped into it."""
        data = stdin.encode() if isinstance(stdin, str) else stdin or b""
        self._patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        self._capsys.readouterr()
        code = main(("secrets", *args))
        out, err = self._capsys.readouterr()
        return Said(code, out, err)

    def keep(self, key: str, value: str = SECRET) -> None:
        """Keep a secret."""
        said = self("set", key, "-", stdin=value)
        assert said.code == 0, said.err

    def trail(self, folder: Path | None = None) -> list[dict[str, Any]]:
        """Return the events about secrets: type, names, purpose."""
        place = (folder or self.root) / TRAIL
        lines = [x for p in sorted(place.rglob("audit.jsonl")) for x in p.read_text().splitlines()]
        assert all("hunter2" not in line for line in lines)
        return [e for e in map(json.loads, lines) if e["event_type"].startswith("secret_")]

    def told(self, folder: Path | None = None) -> list[tuple[str, list[str], str | None]]:
        """Return what the trail says in short."""
        return [
            (e["event_type"], e["details"]["names"], e["details"].get("purpose"))
            for e in self.trail(folder)
        ]


@pytest.fixture
def aim(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Desk:
    """A repository that we stand in, and an empty vault."""
    root = make_repository(tmp_path / "r")
    monkeypatch.chdir(root)
    monkeypatch.setenv("AIM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AIM_VAULT", "age")
    return Desk(root, tmp_path / "home", capsys, monkeypatch)


# -- keeping -----------------------------------------------------------------------------------
def test_a_secret_from_stdin(aim: Desk) -> None:
    """It is kept without the end of its line, described, listed, and shown on request only."""
    said = aim("set", "API_KEY", "-", "-d", "for the tests", stdin=SECRET + "\r\n")
    assert (said.code, said.out) == (0, "Kept API_KEY (age).\n")
    listed = aim("list")
    assert "API_KEY  for the tests  20" in listed.out
    assert "hunter2" not in listed.out + aim("get", "API_KEY").out + aim("list", "-j").out
    assert aim("get", "API_KEY", "--show").out == SECRET + "\n"


@pytest.mark.parametrize("value", ["sk-sesame", "sesame=x", "--", "env:X"])
def test_a_value_in_the_command_line_is_refused_and_not_repeated(aim: Desk, value: str) -> None:
    """It stands in the list of processes; the hint says how it is done."""
    said = aim("set", "API_KEY", *(("--", "--") if value == "--" else (value,)))
    assert said.code == 2
    assert "sesame" not in said.err + said.out
    assert "aim secrets set API_KEY" in said.err
    assert aim("list", "--json").json == {"secrets": []}


def test_nobody_is_there_to_be_asked(aim: Desk) -> None:
    """Without a terminal the value must come from stdin, and that must be said."""
    said = aim("set", "API_KEY", "--prompt")
    assert (said.code, "| aim secrets set API_KEY -" in said.err) == (2, True)


def test_the_prompt_does_not_show_what_is_typed(aim: Desk) -> None:
    """On a terminal the value is asked for, and is nowhere on the screen."""
    code, screen = on_terminal(
        "secrets", "set", "API_KEY", cwd=aim.root, keys="typed-by-hand\n", program=AIM
    )
    assert code == 0, screen
    assert "typed-by-hand" not in screen
    assert aim("get", "API_KEY", "-s").out == "typed-by-hand\n"


@pytest.mark.parametrize("value", [b"", b"\n", b"a\0b", b"\xff\xfe", b"x" * 70_000])
def test_values_that_are_none(aim: Desk, value: bytes) -> None:
    """They are refused with exit 2, and nothing is kept or recorded."""
    assert aim("set", "API_KEY", "-", stdin=value).code == 2
    assert (aim("list", "-j").json, aim.told()) == ({"secrets": []}, [])


@pytest.mark.parametrize("key", ["api-key", "1KEY", "../../etc/passwd", "A B", ""])
@pytest.mark.parametrize("command", ["set", "get", "delete"])
def test_names_that_are_none(aim: Desk, command: str, key: str) -> None:
    """Every command refuses a name that no variable could have."""
    more = {"set": ["-"], "get": ["--show"], "delete": ["-y"]}[command]
    said = aim(command, key, *more, stdin="value")
    assert (said.code, "cannot name a secret" in said.err) == (2, True)


def test_one_source_only(aim: Desk) -> None:
    """Stdin, a prompt and a reference exclude each other."""
    assert aim("set", "K", "-", "--prompt", stdin="v").code == 2
    assert aim("set", "K", "--reference", "env:X", "--prompt").code == 2
    assert aim("set", "K", "-r", "file:/etc/passwd").code == 2


def test_a_reference_is_kept_and_followed(aim: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it refers to is listed; the value is read when it is asked for."""
    monkeypatch.setenv("ELSEWHERE", SECRET)
    assert aim("set", "K", "--reference", "env:ELSEWHERE").out == "Kept K (a reference).\n"
    assert "env:ELSEWHERE" in aim("list").out
    assert aim("get", "K", "--show", "--json").json == {"key": "K", "exists": True, "value": SECRET}
    monkeypatch.delenv("ELSEWHERE")
    said = aim("get", "K", "--show")
    assert (said.code, "export ELSEWHERE=..." in said.err) == (2, True)


def test_removing(aim: Desk) -> None:
    """`--yes` is needed where nobody can be asked; a second time there is nothing."""
    aim.keep("K")
    assert aim("delete", "K").code == 2
    assert aim("delete", "K", "--yes", "--json").json == {"key": "K", "deleted": True}
    said = aim("delete", "K", "--yes")
    assert (said.code, "there is no secret K" in said.err) == (1, True)


# -- looking -----------------------------------------------------------------------------------
def test_whether_there_is_one(aim: Desk) -> None:
    """Exit 0 and 1, for people and programs."""
    aim.keep("K")
    assert aim("get", "K").out == "K exists (age). --show prints its value.\n"
    assert aim("get", "K", "--json").json == {"key": "K", "exists": True}
    missing = aim("get", "OTHER", "--json")
    assert (missing.code, missing.json) == (1, {"key": "OTHER", "exists": False})
    assert "Hint: aim secrets set OTHER" in aim("get", "OTHER").err
    assert aim("get", "OTHER", "--show").code == 1


def test_nothing_to_list(aim: Desk) -> None:
    """An empty vault says how to begin."""
    assert "aim secrets set" in aim("list").out
    assert not aim.home.exists()


def test_the_clipboard(aim: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The value goes to the desktop's program on its stdin, and is not printed."""
    aim.keep("K")
    bin_ = private(tmp_path / "bin")
    (bin_ / "xclip").write_text(f'#!/bin/sh\ncat > {tmp_path}/clip; echo "$@" >> {tmp_path}/clip\n')
    (bin_ / "xclip").chmod(0o755)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("PATH", f"{bin_}:/usr/bin:/bin")
    monkeypatch.setenv("DISPLAY", ":7")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    said = aim("get", "K", "--clipboard")
    assert (said.code, "hunter2" in said.out, "(xclip)" in said.out) == (0, False, True)
    assert (tmp_path / "clip").read_text() == SECRET + "-selection clipboard\n"
    assert aim("get", "K", "-c", "-j").json["clipboard"] == "xclip"
    (bin_ / "xclip").write_text("#!/bin/sh\nexit 1\n")
    assert "did not take it" in aim("get", "K", "-c").err
    (bin_ / "xclip").write_text("#!/bin/sh\nsleep 60\n")
    monkeypatch.setattr(clipboard, "LIMIT_S", 0.2)
    assert aim("get", "K", "-c").code == 2


def test_the_clipboard_of_another_system(
    aim: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """macOS has one program for it, display or not."""
    aim.keep("K")
    (tmp_path / "pbcopy").write_text(f"#!/bin/sh\ncat > {tmp_path}/clip\n")
    (tmp_path / "pbcopy").chmod(0o755)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert "(pbcopy)" in aim("get", "K", "--clipboard").out
    assert (tmp_path / "clip").read_text() == SECRET


def test_no_clipboard(aim: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a desktop it is said; and a value goes to one place only."""
    aim.keep("K")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    said = aim("get", "K", "--clipboard")
    assert (said.code, "there is no clipboard here" in said.err) == (2, True)
    assert aim("get", "K", "--clipboard", "--show").code == 2


# -- handing on --------------------------------------------------------------------------------
def test_exporting_for_a_shell(aim: Desk) -> None:
    """A shell that evaluates the lines has the values to the letter."""
    aim.keep("K1")
    aim.keep("K2", "two\nlines $(touch x) `y`")
    lines = aim("export", "--all").out
    done = subprocess.run(
        ["sh", "-c", f'{lines}\nprintf "%s|%s" "$K1" "$K2"'], capture_output=True, check=True
    )
    assert done.stdout.decode() == f"{SECRET}|two\nlines $(touch x) `y`"
    assert aim("export", "K1").out == f"export K1={shlex.quote(SECRET)}\n"
    assert aim("export", "K1", "--json").json == {"K1": SECRET}


def test_exporting_on_a_terminal_is_refused(aim: Desk) -> None:
    """Values would stay on the screen; `--force` shows them all the same."""
    aim.keep("K", "on-the-screen")
    code, screen = on_terminal("secrets", "export", "K", cwd=aim.root, program=AIM)
    assert (code, "on-the-screen" in screen) == (2, False)
    assert any("Error: values are not printed on a terminal" in line for line in shown(screen))
    code, screen = on_terminal("secrets", "export", "K", "--force", cwd=aim.root, program=AIM)
    assert (code, "on-the-screen" in screen) == (0, True)


def test_exporting_needs_names(aim: Desk) -> None:
    """Nothing is exported by mistake: neither all without saying so, nor what is not there."""
    aim.keep("K")
    assert aim("export").code == 2
    assert aim("export", "K", "--all").code == 2
    said = aim("export", "K", "OTHER")
    assert (said.code, said.out) == (1, "")


def run(aim: Desk, *args: str, **env: str) -> Said:
    """Run `aim secrets run` as a process, which becomes the command."""
    given = {"AIM_HOME": str(aim.home), "AIM_VAULT": "age", **env}
    return child("secrets", "run", *args, cwd=aim.root, env=given, program=AIM)


def test_running_one_command_with_some_secrets(aim: Desk) -> None:
    """The child has those that are named and no other of the vault, even from the environment."""
    for key in ("K1", "K2", "K3"):
        aim.keep(key, f"of {key}")
    script = 'echo "$K1,$K2,$K3,$PLAIN"; exit 7'
    said = run(aim, "--only", "K1, K2", "--", "sh", "-c", script, K3="x", PLAIN="plain")
    assert (said.code, said.out) == (7, "of K1,of K2,,plain\n")
    said = run(aim, "--all", "--", "sh", "-c", script)
    assert (said.code, said.out) == (7, "of K1,of K2,of K3,\n")
    assert aim.told()[-2:] == [
        ("secret_get", ["K1", "K2"], "run"),
        ("secret_get", ["K1", "K2", "K3"], "run"),
    ]


def test_the_command_takes_our_place(aim: Desk) -> None:
    """It has our process number, our input and our arguments, options of its own included."""
    aim.keep("K")
    process = subprocess.Popen(
        [
            *AIM,
            "secrets",
            "run",
            "--only",
            "K",
            "--",
            "sh",
            "-c",
            'echo $$ "$@"; cat',
            "x",
            "--only",
        ],
        cwd=aim.root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    out, _ = process.communicate("typed", timeout=60)
    assert out == f"{process.pid} --only\ntyped"


def test_running_needs_a_command_and_names(aim: Desk) -> None:
    """What is lacking is said before anything is read."""
    aim.keep("K")
    assert aim("run", "--only", "K").code == 2
    assert aim("run", "--", "true").code == 2
    assert aim("run", "--only", "K", "--all", "--", "true").code == 2
    assert aim("run", "--only", " , ", "--", "true").code == 2
    assert aim("run", "--only", "OTHER", "--", "true").code == 1
    said = aim("run", "--only", "K", "--", "no-such-program-here")
    assert (said.code, "no-such-program-here is not installed" in said.err) == (2, True)
    assert aim.told() == [("secret_set", ["K"], None)]


def test_a_file_that_is_no_program(aim: Desk) -> None:
    """A program that the system cannot start is said as it is."""
    aim.keep("K")
    (aim.root / "rubbish").write_bytes(b"\x7fELF rubbish")
    (aim.root / "rubbish").chmod(0o755)
    said = run(aim, "--only", "K", "--", "./rubbish")
    assert (said.code, "cannot be started" in said.err) == (2, True)


# -- the trail ---------------------------------------------------------------------------------
def test_every_access_is_in_the_trail_by_name(aim: Desk) -> None:
    """What was kept, shown, exported and removed; git shows nothing of it."""
    aim.keep("K")
    aim("set", "R", "--reference", "env:HOME")
    aim("get", "K")
    aim("list")
    aim("get", "K", "--show")
    aim("export", "--all")
    aim("delete", "K", "-y")
    assert aim.told() == [
        ("secret_set", ["K"], None),
        ("secret_set", ["R"], None),
        ("secret_get", ["K"], "show"),
        ("secret_get", ["K", "R"], "export"),
        ("secret_delete", ["K"], None),
    ]
    assert git(aim.root, "status", "--porcelain") == ""


def test_outside_of_a_repository_the_trail_is_the_users(
    aim: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left where one happens to stand; the trail is whole."""
    away = private(tmp_path / "away")
    monkeypatch.chdir(away)
    aim.keep("K")
    aim("get", "K", "--show")
    assert aim.told(aim.home) == [("secret_set", ["K"], None), ("secret_get", ["K"], "show")]
    assert list(away.iterdir()) == []
    monkeypatch.chdir(aim.home)
    assert main(["audit", "verify"]) == 0


def test_what_cannot_be_recorded_is_not_done(aim: Desk) -> None:
    """With a trail that cannot be written nothing is kept, shown or removed."""
    aim.keep("K")
    trail = aim.root / TRAIL
    trail.rename(aim.root / "moved")
    trail.write_text("a file in its way")
    for args in (
        ("set", "L", "-"),
        ("get", "K", "--show"),
        ("export", "--all"),
        ("delete", "K", "-y"),
    ):
        said = aim(*args, stdin="value")
        assert (said.code, said.out) == (2, ""), args
    trail.unlink()
    assert [s["key"] for s in aim("list", "-j").json["secrets"]] == ["K"]


def test_auditing_switched_off(aim: Desk) -> None:
    """The switch counts for secrets, too."""
    write_config(aim.root, {"enable_audit_logging": False})
    aim.keep("K")
    assert aim("get", "K", "--show").out == SECRET + "\n"
    assert not (aim.root / TRAIL).exists()


# -- the vault ---------------------------------------------------------------------------------
def test_the_doctor(aim: Desk) -> None:
    """It names the vault and the reason; exit 1 when something is to be mended."""
    aim.keep("K")
    said = aim("doctor")
    assert said.code == 0, said.out
    assert "Fresh secrets go to age: AIM_VAULT says 'age'; a value was written" in said.out
    aim.home.chmod(0o755)
    said = aim("doctor")
    assert said.code == 1
    assert f"chmod 700 {aim.home}" in said.out
    assert aim("doctor", "--json").json["ok"] is False


def test_the_setting_names_the_vault(aim: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """`environment.secretsVault` is what counts without the variable; rubbish in it is an error."""
    monkeypatch.delenv("AIM_VAULT")
    write_config(aim.root, {"environment": {"secretsVault": str(aim.home / "team.age")}})
    aim.keep("K")
    assert (aim.home / "team.age").is_file()
    write_config(aim.root, {"environment": {"secretsVault": "plaintext"}})
    said = aim("set", "K", "-", stdin="value")
    assert (said.code, "there is no vault 'plaintext'" in said.err) == (2, True)


def test_every_error_says_what_mends_it(aim: Desk) -> None:
    """The hint of each is a command or an edit."""
    aim.keep("K")
    (aim.home / "vault.key").chmod(0o640)
    for args in (("get", "K", "--show"), ("set", "L", "-"), ("delete", "K", "-y"), ("export", "K")):
        said = aim(*args, stdin="value")
        assert (said.code, "Hint: " in said.err) == (2, True), said.err
        assert "chmod 600" in said.err
