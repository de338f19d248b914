"""The git hook that judges what is about to be committed: put in, recognised, taken out."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from penstock.environment.api import HookChange, HookState
from penstock.environment.repository import Place
from penstock.errors import EnvironmentProblem, RepositoryError, ToolMissingError, UsageError
from penstock.process.capture import capture
from penstock.process.environment import child_environment, find_executable

NAME = "pre-commit"
KEPT = "pre-commit.before-penstock"
MARK = "# penstock: pre-commit hook"
GIT_TIMEOUT_S = 60.0
_GIT_KEPT = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH")

# 126 and 127 are the shell's own: the command could not be started.
SCRIPT = f"""\
#!/bin/sh
{MARK}, written by `penstock hooks install`.
# `penstock hooks uninstall` takes it out again; `git commit --no-verify` goes past it.

before="$(dirname -- "$0")/{KEPT}"
if [ -f "$before" ] && [ -x "$before" ]; then
  "$before" "$@" || exit
fi

check_with() {{
  "$@" hooks run
  code=$?
  if [ "$code" -ne 126 ] && [ "$code" -ne 127 ]; then exit "$code"; fi
}}
@FIXED@if command -v penstock >/dev/null 2>&1; then check_with penstock; fi

echo "penstock cannot be started, so nothing was checked and nothing is committed." >&2
echo "Install it again, or remove $0, or commit unchecked: git commit --no-verify" >&2
exit 1
"""
FIXED = "if [ -x @PROGRAM@ ]; then check_with @COMMAND@; fi\n"


def hooks_folder(place: Place) -> Path:
    """Return where git looks for the hooks of a checkout: core.hooksPath counts, and a linked
    worktree shares those of its repository.

    Raises RepositoryError when hooks are switched off, or shared with other repositories.
    """
    asked = ("rev-parse", "--path-format=absolute", "--git-path", "hooks")
    folder = Path(_git(asked, place.root))
    if folder == Path(os.devnull):
        raise RepositoryError(
            "hooks are switched off here: core.hooksPath is /dev/null",
            hint="git config --unset core.hooksPath",
        )
    ours = (place.root.resolve(), place.common_dir.resolve())
    if not any(folder.resolve().is_relative_to(home) for home in ours):
        raise RepositoryError(
            f"git takes the hooks from {folder} (core.hooksPath), which other repositories may share",
            hint=f"Call `penstock hooks run` from {folder / NAME} yourself, or give this repository"
            " hooks of its own: git config --local core.hooksPath .git/hooks",
        )
    return folder


def _git(args: Sequence[str], cwd: Path) -> str:
    """Ask git, under the user's own settings; the settings of a hook that calls us do not count."""
    kept = {name: os.environ[name] for name in _GIT_KEPT if name in os.environ}
    env = child_environment(extra={**kept, "LC_ALL": "C"})
    found = find_executable("git", env)
    if found is None:
        raise ToolMissingError("git is not installed", hint="Install git 2.31 or later.")
    done = capture((str(found), *args), cwd, env, timeout=GIT_TIMEOUT_S)
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip() or "it said nothing"
        raise RepositoryError(f"git {' '.join(args)} failed: {said}")
    return os.fsdecode(done.stdout).removesuffix("\n")


def hook_state(folder: Path) -> HookState:
    """Tell whose pre-commit hook lies in a folder of hooks."""
    hook = folder / NAME
    if not os.path.lexists(hook):
        return HookState.ABSENT
    try:
        head = hook.read_bytes()[:4096]
    except OSError:  # a folder, a link to nowhere, not ours to read
        return HookState.FOREIGN
    return HookState.OURS if MARK.encode() in head else HookState.FOREIGN


def install_hook(folder: Path, *, shared: bool, force: bool) -> HookChange:
    """Put our hook into a folder of hooks, or renew it.

    Another tool's hook is left alone, and with `force` kept beside ours, which runs it first.
    `shared`: the folder lies among the tracked files, so no path of this machine is written.
    Raises UsageError for a foreign hook without `force`, EnvironmentProblem when it cannot be
    written.
    """
    before = hook_state(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if before is HookState.FOREIGN:
            _set_aside(folder, force=force)
        _write(folder / NAME, script(None if shared else own_command()))
    except OSError as error:
        raise EnvironmentProblem(f"cannot write {folder / NAME}: {error.strerror}") from error
    return HookChange(path=str(folder / NAME), before=before, kept=_kept(folder))


def uninstall_hook(folder: Path) -> HookChange:
    """Take our hook out, and put back the one that was there before; another tool's stays.

    Raises EnvironmentProblem when it cannot be removed.
    """
    hook, kept = folder / NAME, folder / KEPT
    before = hook_state(folder)
    if before is HookState.FOREIGN:
        return HookChange(path=str(hook), before=before, kept=_kept(folder))
    restored = os.path.lexists(kept)
    try:
        if restored:
            kept.replace(hook)
        else:
            hook.unlink(missing_ok=True)
    except OSError as error:
        raise EnvironmentProblem(f"cannot remove {hook}: {error.strerror}") from error
    return HookChange(path=str(hook), before=before, restored=restored)


def script(command: Sequence[str] | None) -> str:
    """Return the hook: `command` starts penstock, or whichever is on PATH when it cannot."""
    if command is None:
        return SCRIPT.replace("@FIXED@", "")
    fixed = FIXED.replace("@PROGRAM@", shlex.quote(command[0]))
    return SCRIPT.replace("@FIXED@", fixed.replace("@COMMAND@", shlex.join(command)))


def own_command() -> tuple[str, ...]:
    """Return how the penstock that runs now is started again."""
    program = Path(sys.executable).with_name("penstock")
    if os.access(program, os.X_OK):
        return (str(program),)
    return (sys.executable, "-m", "penstock")


def _set_aside(folder: Path, *, force: bool) -> None:
    hook, kept = folder / NAME, folder / KEPT
    if not force:
        raise UsageError(
            f"{hook} is not penstock's",
            hint="`penstock hooks install --force` keeps it and runs it first; or call"
            " `penstock hooks run` from it.",
        )
    if os.path.lexists(kept):
        raise UsageError(f"both {hook} and {kept} are there already", hint="Remove one of them.")
    hook.rename(kept)


def _write(hook: Path, text: str) -> None:
    """Write the hook in one step, so that a commit finds it whole or not at all."""
    scratch = hook.with_name(f".{NAME}.penstock-{os.getpid()}")
    try:
        scratch.write_text(text, encoding="utf-8", errors="surrogateescape")
        scratch.chmod(0o755)
        scratch.replace(hook)
    finally:
        with suppress(OSError):
            scratch.unlink(missing_ok=True)


def _kept(folder: Path) -> str | None:
    kept = folder / KEPT
    return str(kept) if os.path.lexists(kept) else None
