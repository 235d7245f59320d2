"""How settings are declared and checked."""

from __future__ import annotations

import pytest

from stresslab.core.errors import InputError
from stresslab.runs.setting import COMMON, Config, extra, setting, shortened


class One(Config):
    """A model of one setting."""

    size: int = setting(COMMON, "N", "How many.", 3, ge=1)


def test_a_wrong_setting_is_one_line() -> None:
    """The value, the rule and the name; unknown names with the nearest one."""
    with pytest.raises(InputError, match="size=0 is refused: input should be greater than or equal to 1"):
        One.of({"size": 0})
    with pytest.raises(InputError, match="did you mean 'size'"):
        One.of({"sise": 1})


def test_a_missing_setting_is_named() -> None:
    """What must be given is not said to be `nothing`."""

    class Two(Config):
        size: int = setting(COMMON, "N", "How many.")

    with pytest.raises(InputError, match=r"^settings: `size` is missing; add it$"):
        Two.of({})


def test_a_key_of_a_file_is_not_taken_for_a_flag() -> None:
    """In backticks stands what the command line has a flag for; a file's key is quoted, and a tuple is a list."""

    class Three(Config):
        limits: tuple[str, ...]

    with pytest.raises(InputError, match=r"^own\.yaml: limits='a' is refused: .* be a list; correct 'limits'$"):
        Three.of({"limits": "a"}, "own.yaml")
    with pytest.raises(InputError, match=r"^settings\.yaml: 'limits' is missing; add it$"):
        Three.of({}, "settings.yaml")
    with pytest.raises(InputError, match=r"; correct `limits`$"):
        Three.of({"limits": 3}, "settings (own.yaml and flags)")


def test_a_declaration_is_kept() -> None:
    """Panel and placeholder stand with the field, and the record holds defaults too."""
    assert extra(One.model_fields["size"])["metavar"] == "N"
    assert One.of({}).recorded() == {"size": 3}
    assert shortened(10**5000) == "a int of thousands of digits"
