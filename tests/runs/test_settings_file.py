"""A YAML file of settings is read safely, and what is wrong with it is said in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from stresslab.core.errors import InputError
from stresslab.runs.settings_file import read_settings_file


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"horizon: [1", "is not YAML"),
        (b"a: b: c", "is not YAML"),
        (b"\xff\xfe\x00", "is not YAML"),
        (b"until: 2018-13-45", "is not YAML"),
        (b"seed: !!python/object/apply:os.system [echo]", "is not YAML"),
        (b"[" * 5000, "is not YAML"),
        (b"", "holds NoneType, not settings"),
        (b"- horizon\n- 60\n", "holds list, not settings"),
        (b"horizon", "holds str, not settings"),
    ],
    ids=lambda value: value[:20].decode(errors="replace") if isinstance(value, bytes) else "",
)
def test_what_holds_no_settings_is_refused(content: bytes, words: str, tmp_path: Path) -> None:
    """One line says what is wrong with the file and what a line of settings looks like; no code in it runs."""
    path = tmp_path / "run.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        read_settings_file(path)
    assert "\n" not in str(caught.value)
    assert "horizon: 250" in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A missing file and a folder are named with the reason."""
    with pytest.raises(InputError, match=r"nowhere\.yaml cannot be read \(No such file"):
        read_settings_file(tmp_path / "nowhere.yaml")
    with pytest.raises(InputError, match="cannot be read"):
        read_settings_file(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("fees: 0.1\nhorizon: 5\nfees: 0.2", "'fees' stands there twice"),
        ("param:\n  fast: 1\n  fast: 2", "'fast' stands there twice, line 2 on"),
        ("init-cash: 5\ninit_cash: 6", "'init_cash' is given twice"),
        (f"seed: 0x{'f' * 5000}", "2\\^64 or more"),
        (f"param: {{n: -0x{'f' * 5000}}}", "2\\^64 or more"),
        (f"seed: {'9' * 5000}", "is not YAML"),
    ],
    ids=lambda value: value[:24],
)
def test_what_yaml_would_take_silently_is_refused(content: str, words: str, tmp_path: Path) -> None:
    """A key given twice, a date beyond the calendar and numbers that no setting takes end in one line."""
    path = tmp_path / "run.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=words) as caught:
        read_settings_file(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
