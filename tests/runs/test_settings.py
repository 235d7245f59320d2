"""Settings: flags and fields are the same, a wrong one is named with its rule, and YAML is read safely."""

from __future__ import annotations

import inspect
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from stresslab.cli import app
from stresslab.cli.short_help import HELP_ALL
from stresslab.cli.values import parse_grid, parse_parameters
from stresslab.core.errors import InputError
from stresslab.core.text import did_you_mean
from stresslab.runs.setting import PANELS, extra
from stresslab.runs.settings import RealismConfig, SampleConfig, StressConfig, UniverseConfig
from stresslab.runs.settings_file import read_settings_file
from stresslab.runs.stress_test import stress_test

GIVEN: dict[str, Any] = {"data": "bars.csv", "strategies": ["sma.py"]}


@pytest.mark.parametrize(("command", "model"), [("run", StressConfig), ("sample", SampleConfig)])
def test_every_flag_is_a_field_and_every_field_a_flag(command: str, model: type[UniverseConfig]) -> None:
    """What the command line takes, a file can give, under the same name; nothing can be set by a file alone."""
    flags = {parameter.name for parameter in get_command(app).commands[command].params} - {"config", HELP_ALL}
    assert flags == set(model.model_fields)


def test_defaults_are_settings() -> None:
    """What must be given is the data and the strategies; all else has a default that passes its own check."""
    settings = StressConfig.of(GIVEN)
    assert (settings.horizon, settings.universes, settings.seed, settings.generator) == (250, 1000, 0, "kronos")
    assert StressConfig.of(settings.model_dump()) == settings


def test_settings_cannot_be_changed() -> None:
    """A run's settings stay what they were."""
    with pytest.raises(ValueError, match="frozen"):
        StressConfig.of(GIVEN).seed = 3


@pytest.mark.parametrize(
    ("key", "meant"), [("horizn", "horizon"), ("universe", "universes"), ("init-cash", "init_cash"), ("top_P", "top_p")]
)
def test_an_unknown_setting_suggests_a_known_one(key: str, meant: str) -> None:
    """A misspelt key is named, with the nearest that exists."""
    with pytest.raises(InputError, match=f"^run.yaml: '{key}' is not a setting; did you mean '{meant}'\\?$"):
        StressConfig.of(GIVEN | {key: 1}, "run.yaml")


def test_a_setting_that_resembles_none_lists_them_all() -> None:
    """Where nothing is near, the known ones are listed."""
    with pytest.raises(InputError, match=r"'xyzzy' is not a setting; known are data, origin, .*fail_on"):
        StressConfig.of(GIVEN | {"xyzzy": 1})
    assert did_you_mean("rosbust", ["robust", "lucky"]) == "; did you mean 'robust'?"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("horizon", 0), ("horizon", 10**9), ("horizon", 2.5), ("horizon", "many"),
        ("universes", 0), ("universes", 10**9), ("temperature", 0), ("temperature", float("nan")),
        ("temperature", float("inf")), ("top_p", 0), ("top_p", 1.01), ("top_p", float("nan")), ("top_k", -1),
        ("context", 0), ("seed", -1), ("seed", 2**64), ("jobs", -1), ("warmup", -1), ("position", "sideways"),
        ("fees", 1.0), ("fees", float("nan")), ("slippage", -0.1), ("init_cash", 0), ("init_cash", float("inf")),
        ("realism_origins", -1), ("repair", "perhaps"), ("param", [1]), ("strategies", []), ("strategies", 3),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_its_rule(key: str, value: Any) -> None:
    """One line: the setting, what was given, what is allowed, the argument to correct."""
    with pytest.raises(InputError) as caught:
        StressConfig.of(GIVEN | {key: value})
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(f"settings: {key}={value!r} is refused: ")
    assert text.endswith(f"correct `{key}`")


def test_missing_data_is_named() -> None:
    """What must be given and is not is named too."""
    with pytest.raises(InputError, match="settings: `data` is missing; add it"):
        StressConfig.of({"strategies": ["sma.py"]})


def test_a_file_gives_settings(tmp_path: Path) -> None:
    """Keys may be spelled as flags or as fields; values keep their types."""
    path = tmp_path / "run.yaml"
    path.write_text("data: bars.csv\ninit-cash: 5e+3\nhorizon: 60\nparam: {fast: 10}\nstrategies: [a.py, b.py]\n")
    settings = StressConfig.of(read_settings_file(path))
    assert (settings.init_cash, settings.horizon, settings.param) == (5000.0, 60, {"fast": 10})
    assert settings.strategies == ("a.py", "b.py")


def test_a_command_that_makes_it_again() -> None:
    """The settings that are not defaults stand in the command, quoted where they must be."""
    given = {
        "strategies": ["my strategies/a.py"], "data": "bars.csv", "seed": 7, "universes": 1000, "fees": 0.0005,
        "repair": True, "param": {"fast": 10}, "jobs": 3, "origin": None, "out": "elsewhere",
    }  # fmt: skip
    config = StressConfig.of(given)
    assert config.command() == "stresslab run 'my strategies/a.py' --data bars.csv --seed 7 --repair --param fast=10"
    assert config.recorded()["command"] == config.command()


def test_a_grid_and_a_book_in_the_command() -> None:
    """They are spelled as the command line reads them, and read back as they were."""
    grid = {"fast": list(range(5, 25)), "slow": [30, 40, 60], "by": ["sma", "ema"], "x": [0.5, 0.1]}
    given = {"strategies": ["a.py"], "data": "bars.csv", "grid": grid, "portfolio": {"a": 0.6, "b": 0.4}}
    words = shlex.split(StressConfig.of(given).command())
    assert parse_grid([words[at + 1] for at, word in enumerate(words) if word == "--grid"]) == grid
    shares = [words[at + 1] for at, word in enumerate(words) if word == "--portfolio"]
    assert shares == ["a=0.6", "b=0.4"]
    assert "fast=5:24:1" in words


@pytest.mark.parametrize("value", ["10", "true", "ema", "None", "0.5", 10, 0.5, True, [1, 2], None, "a b"])
def test_parameters_in_the_command_are_read_back(value: Any) -> None:
    """Text that looks like a number stays text when the command runs again."""
    words = shlex.split(StressConfig.of(GIVEN | {"param": {"x": value}}).command())
    assert parse_parameters([words[words.index("--param") + 1]]) == {"x": value}


def test_all_settings_are_recorded() -> None:
    """A record holds defaults too, so that a run can be made again after a default has changed."""
    recorded = StressConfig.of(GIVEN).recorded()
    assert set(recorded) == {*StressConfig.model_fields, "command"}
    assert StressConfig.of({name: recorded[name] for name in StressConfig.model_fields}) == StressConfig.of(GIVEN)


def test_every_setting_says_what_it_is() -> None:
    """Name, type, default, help and panel stand in the model; the command line adds none of its own."""
    for model in (StressConfig, SampleConfig, RealismConfig):
        for name, field in model.model_fields.items():
            assert field.description, name
            assert field.description.endswith("."), name
            assert extra(field)["panel"] in PANELS, name
            assert "--" not in field.description, name


def test_arguments_are_those_of_stress_test() -> None:
    """What the settings give is what `stress_test` takes, but for bars, generator and what concerns execution."""
    taken = set(inspect.signature(stress_test).parameters)
    given = set(StressConfig.of(GIVEN).arguments())
    assert given <= taken
    assert taken - given == {"bars", "generator", "costs", "criteria", "progress", "on_verdict"}
