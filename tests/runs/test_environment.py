"""Which code ran where."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from stresslab.runs import environment as module
from stresslab.runs.environment import code, environment


def test_the_code_has_a_digest() -> None:
    """Of all sources, so that it changes with any of them."""
    assert len(str(code()["sha256"])) == 64


def test_versions_and_machine_are_plain_json() -> None:
    """What decides the last bits: libraries, processor, system; no name of the machine or of its user."""
    found = json.loads(json.dumps(environment(), allow_nan=False))
    assert found["versions"]["numpy"].count(".") >= 1
    assert found["processors"] >= 1
    assert set(found) == {"python", "platform", "machine", "processor", "processors", "versions"}
    import getpass
    import platform

    assert platform.node() not in found["platform"].split()
    assert getpass.getuser() not in json.dumps(found).split('"')


def test_a_commit_is_named_where_there_is_one(tmp_path: Path) -> None:
    """That of the tree, and none of a folder that is no repository or that git cannot read."""
    assert module._commit(tmp_path) is None
    (tmp_path / ".git").mkdir()
    assert module._commit(tmp_path) is None
    (tmp_path / ".git").rmdir()
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "Begin"], check=True)
    commit = module._commit(tmp_path)
    assert commit is not None
    assert len(commit) == 40


def test_a_system_without_a_list_of_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the platform says of the processor is taken."""

    def missing(self: Path, **how: object) -> str:
        raise FileNotFoundError(str(self))

    monkeypatch.setattr(Path, "read_text", missing)
    monkeypatch.setattr(module.platform, "processor", lambda: "riscv")
    assert module._processor() == "riscv"
