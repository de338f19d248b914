"""Which files a plugin wants."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.checks.plugins.matching import Matcher, interpreter
from tests.support.plugins import manifest


def wants(path: str, head: bytes = b"", **declared: Any) -> bool:
    """Tell whether a plugin with that manifest wants a file."""
    return Matcher(manifest(**declared))(path, head)


@pytest.mark.parametrize("extensions", [(), ("*",), ("py", "*")])
def test_empty_and_star_are_any_file(extensions: tuple[str, ...]) -> None:
    """No extension, or a star among them, takes every file."""
    assert wants("a/b.xyz", file_extensions=extensions)
    assert wants("Makefile", file_extensions=extensions)


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ("a.py", True),
        ("A.PY", True),
        ("a/b.c.py", True),
        (".py", False),
        ("py", False),
        ("apy", False),
        ("a.pyc", False),
        ("a.py/b", False),
        ("x.d.ts", True),
        ("x.ts", False),
    ],
)
def test_extensions_are_the_end_of_the_name(path: str, result: bool) -> None:
    """An extension matches in any case, with or without a dot in the manifest, and not a whole name."""
    assert wants(path, file_extensions=("py", ".d.ts")) is result


def test_names_count_beside_extensions() -> None:
    """Patterns of whole names match in any folder, and leave others to the extensions."""
    declared: dict[str, Any] = {"file_names": ("requirements*.txt",)}
    assert wants("a/requirements-dev.txt", **declared)
    assert not wants("a/notes.txt", **declared)
    assert wants("x.py", file_extensions=("py",), **declared)


def test_interpreters_are_read_from_the_first_line() -> None:
    """A script without an extension is known by its interpreter."""
    declared: dict[str, Any] = {"file_extensions": ("sh",), "interpreters": ("bash", "sh")}
    assert wants("run", b"#!/usr/bin/env bash\n", **declared)
    assert not wants("run", b"#!/usr/bin/python3\n", **declared)
    assert not wants("run", b"", **declared)


def test_plugins_for_any_file_leave_binary_ones_alone() -> None:
    """A NUL makes a file binary for those that take any, not for those that name its extension."""
    assert not wants("a.bin", b"\x7fELF\0\0")
    assert wants("a.bin", b"\x7fELF\0\0", binary=True)
    assert wants("a.ps1", "x".encode("utf-16"), file_extensions=("ps1",))


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"#!/bin/sh -e\n", "sh"),
        (b"#! /usr/bin/python3.11\n", "python"),
        (b"#!/usr/bin/env -S FOO=1 node --x\n", "node"),
        (b"#!\n", ""),
        (b"#!/usr/bin/env\n", ""),
        (b"#!/opt/7.1\n", "7.1"),
        (b"\xff\xfe", ""),
    ],
)
def test_the_interpreter_of_a_script(head: bytes, name: str) -> None:
    """A `#!` line names a program, past its path, `env` and its options, without a version."""
    assert interpreter(head) == name
