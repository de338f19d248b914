"""ruff, pylint, mypy and pytest judge files and change none: real runs, and what they print."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from penstock.model.outcome import OutcomeKind as Kind
from penstock.tools.api import TurnReport, judge
from penstock.tools.checkers import CHECKERS, MAX_FINDINGS, CheckerTool, CheckReader, targets
from penstock.tools.toolbox import make_toolbox
from tests.support.turns import ended, fake_cli, files_of, path_with, play, request_in

BAD = "import os\n\n\ndef double(x: int) -> str:\n    return x * 2\n"
GOOD = '"""A module."""\n\n\ndef double(x: int) -> int:\n    """Double."""\n    return x * 2\n'
TEST = "def test_right():\n    assert True\n\n\ndef test_wrong():\n    assert 1 == 2\n"
every_linter = pytest.mark.parametrize("name", ["ruff", "pylint", "mypy"])
every_checker = pytest.mark.parametrize("name", sorted(CHECKERS))


@dataclass
class Shop:
    """A worktree with the real checkers of this environment on PATH."""

    root: Path

    def check(self, name: str, files: dict[str, str], **changes: Any) -> TurnReport:
        """Write files and let a checker judge them."""
        request = request_in(self.root, files=tuple(files), wall_s=120.0, **changes)
        for path, text in files.items():
            request.worktree.joinpath(path).write_text(text)
        before = files_of(request.worktree)
        report = play(make_toolbox({}).get(name), request)
        assert files_of(request.worktree) == before
        return report


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop whose checkers are those installed beside this Python."""
    monkeypatch.setenv("PATH", path_with(Path(sys.executable).parent))
    return Shop(tmp_path)


def need(name: str) -> None:
    """Skip the test when a checker is not installed beside this Python."""
    if shutil.which(name, path=str(Path(sys.executable).parent)) is None:
        pytest.skip(f"{name} is not installed")


@every_linter
def test_findings(name: str, shop: Shop) -> None:
    """A linter that found something did its work: no failure, but it did not pass."""
    need(name)
    report = shop.check(name, {"calc.py": BAD})
    assert (report.signal, report.content["passed"], report.exit_code != 0) == (None, False, True)
    finding = report.content["findings"][0]
    assert Path(finding["path"]).name == "calc.py"
    assert {"line", "code", "message"} <= set(finding)
    assert report.content["count"] == len(report.content["findings"])


@every_linter
def test_nothing_found(name: str, shop: Shop) -> None:
    """A clean file passes, and the worktree is left as it was."""
    need(name)
    report = shop.check(name, {"calc.py": GOOD})
    assert (report.signal, report.content["passed"], report.content["count"]) == (None, True, 0)
    assert report.message == "nothing found"


@pytest.mark.parametrize("name", ["ruff", "mypy"])
def test_files_of_the_payload(name: str, shop: Shop) -> None:
    """The payload's files are checked instead of the turn's."""
    need(name)
    files = {"calc.py": BAD, "good.py": GOOD}
    assert shop.check(name, files, payload={"files": ["good.py"]}).content["passed"]


def test_a_test_run(shop: Shop) -> None:
    """pytest's counts and failed tests are told."""
    report = shop.check("pytest", {"test_it.py": TEST})
    assert (report.signal, report.content["passed"]) == (None, False)
    assert report.content["counts"] == {"failed": 1, "passed": 1}
    (finding,) = report.content["findings"]
    assert (finding["path"], finding["test"]) == ("test_it.py", "test_wrong")
    assert report.message.startswith("1 failed, 1 passed in ")


def test_a_test_path(shop: Shop) -> None:
    """The payload's `test_path` is what runs."""
    files = {"test_it.py": TEST, "test_good.py": "def test_right():\n    pass\n"}
    report = shop.check("pytest", files, payload={"test_path": "test_good.py"})
    assert report.content["passed"]
    assert report.content["counts"] == {"passed": 1}


def test_no_tests(shop: Shop) -> None:
    """A folder without tests does not pass, but nothing is broken."""
    report = shop.check("pytest", {"calc.py": GOOD})
    assert (report.signal, report.content["passed"], report.exit_code) == (None, False, 5)
    assert report.message.startswith("no tests ran")


@pytest.mark.parametrize(
    ("name", "files", "payload"),
    [
        ("ruff", {"ruff.toml": "nonsense = 1\n", "calc.py": GOOD}, {}),
        ("mypy", {"calc.py": GOOD}, {"files": ["gone.py"]}),
        ("pytest", {"calc.py": GOOD}, {"test_path": "gone.py"}),
    ],
)
def test_a_checker_that_cannot_work(
    name: str, files: dict[str, str], payload: dict[str, Any], shop: Shop
) -> None:
    """A broken configuration and a missing file are failures, and no verdict on the files."""
    need(name)
    report = shop.check(name, files, payload=payload)
    assert report.signal is not None
    assert report.signal.kind is Kind.CRASHED
    assert report.content == {}


@every_checker
def test_a_missing_checker(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checker that is not installed says how it is installed."""
    monkeypatch.setenv("PATH", str(tmp_path))
    tool = make_toolbox({}).get(name)
    assert f"pip install {name}" in (tool.available() or "")
    report = play(tool, request_in(tmp_path))
    assert judge(report.signal, changed=False).kind is Kind.NOT_INSTALLED


@every_checker
def test_output_that_is_cut_off(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checker that is killed has crashed, whatever it had printed."""
    fake_cli(tmp_path / "bin", name, "echo '[{\"code\":'; kill -9 $$")
    monkeypatch.setenv("PATH", path_with(tmp_path / "bin"))
    report = play(make_toolbox({}).get(name), request_in(tmp_path))
    assert judge(report.signal, changed=False).kind is Kind.CRASHED


def test_output_that_is_no_json() -> None:
    """An exit code that stands for findings, without any that can be read, is `bad_output`."""
    reader = CheckReader(CHECKERS["ruff"])
    reader.feed(b"warning: something\n[")
    outcome = reader.finish(ended(1))
    assert outcome is not None
    assert outcome.kind is Kind.BAD_OUTPUT


@pytest.mark.parametrize("raw", [b"", b"{}", b"null", b"[null, 1, [], {}]", b'[{"location": 3}]'])
@pytest.mark.parametrize("name", ["ruff", "pylint"])
def test_json_of_any_shape(name: str, raw: bytes) -> None:
    """JSON of another shape than expected is survived."""
    reader = CheckReader(CHECKERS[name])
    reader.feed(raw)
    assert reader.finish(ended(0)) is None
    assert reader.said.content["passed"]


def test_many_findings() -> None:
    """Of very many findings the first are told, and how many there were."""
    reader = CheckReader(CHECKERS["mypy"])
    for number in range(1000):
        reader.feed(f"a.py:{number}:1: error: wrong  [misc]\n".encode())
    reader.finish(ended(1))
    assert reader.said.content["count"] == 1000
    assert len(reader.said.content["findings"]) == MAX_FINDINGS
    assert reader.said.message == "1000 found"


def test_the_exit_codes_of_pylint() -> None:
    """pylint's exit code is a sum: messages are findings, a fatal message or misuse is none."""
    found = CHECKERS["pylint"].found
    assert {2, 4, 8, 16, 30} <= found
    assert found.isdisjoint({0, 1, 3, 32, 33})


@pytest.mark.parametrize(
    ("name", "files", "payload", "expected"),
    [
        ("ruff", ("a.py", "b.md", "c.pyi"), {}, ("a.py", "c.pyi")),
        ("ruff", ("b.md",), {}, (".",)),
        ("ruff", (), {"files": ["-x.py", "y.py"]}, ("./-x.py", "y.py")),
        ("ruff", (), {"files": 3}, ()),
        ("pytest", ("a.py",), {}, ()),
        ("pytest", (), {"test_path": "tests"}, ("tests",)),
    ],
)
def test_targets(
    name: str, files: tuple[str, ...], payload: dict[str, Any], expected: tuple[str, ...],
    tmp_path: Path,
) -> None:  # fmt: skip
    """Files that a checker does not know are left out; no name can be taken for an option."""
    request = request_in(tmp_path, files=files, payload=payload)
    assert targets(CHECKERS[name], request) == expected
    assert CheckerTool(CHECKERS[name]).command_line(request)[0] == name
