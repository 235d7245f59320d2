"""Flags, a config file and defaults become settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from stresslab.cli import app, options
from stresslab.core.errors import InputError
from stresslab.runs.settings import SampleConfig, StressConfig


def context(*arguments: str) -> typer.Context:
    """The context of a command line, parsed but not run."""
    root: Any = get_command(app)
    inner: typer.Context = root.commands[arguments[0]].make_context(arguments[0], list(arguments[1:]))
    return inner


def settings(*arguments: str) -> StressConfig:
    """The settings of `stresslab run` with these arguments."""
    return options.read_settings(context("run", *arguments), StressConfig)


def test_flags_are_spelled_as_the_settings() -> None:
    """Each setting of a run has a flag of its name with the same default, and each other flag is --config or help."""
    root: Any = get_command(app)
    for name, model in (("run", StressConfig), ("sample", SampleConfig)):
        flags = {parameter.name: parameter for parameter in root.commands[name].params} | {}
        assert set(flags) - {"config", "help", "help_all"} == set(model.model_fields)
        for setting, flag in flags.items():
            if setting not in ("config", "help", "help_all", "data", "out") and flag.default is not None:
                assert flag.default == model.model_fields[setting].default


def test_defaults_are_those_of_the_config() -> None:
    """With the required alone, every other setting has its default."""
    assert settings("a.py", "--data", "b.csv") == StressConfig(strategies=("a.py",), data="b.csv")


def test_a_file_gives_settings_and_flags_win(tmp_path: Path) -> None:
    """Settings come from the file, with hyphens or underscores; what is given as a flag replaces them."""
    path = tmp_path / "run.yaml"
    path.write_text(
        "strategies: a.py\ndata: b.csv\nhorizon: 30\ntop-p: 0.9\norigin: 2018-06-29\nallow_lookahead: true\n"
        "param: {fast: 5, slow: 20}\nfail_on: lucky\n"
    )
    read = settings("--config", str(path), "--horizon", "120", "--param", "fast=7")
    assert read.strategies == ("a.py",)
    assert read.horizon == 120  # the default, but given as a flag
    assert (read.top_p, read.origin, read.allow_lookahead) == (0.9, "2018-06-29", True)
    assert read.param == {"fast": 7, "slow": 20}
    assert read.fail_on == ("lucky",)


def test_a_run_file_serves_sample(tmp_path: Path) -> None:
    """`sample` takes from a run's file what concerns universes."""
    path = tmp_path / "run.yaml"
    path.write_text("strategies: [a.py]\ndata: b.csv\nfees: 0.1\nseed: 3\n")
    read = options.read_settings(context("sample", "--out", "o", "--config", str(path)), SampleConfig)
    assert (read.data, read.seed) == ("b.csv", 3)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("horizn: 3", "'horizn' is not a setting; did you mean 'horizon'?"),
        ("param: 3", "param=3 is not a mapping"),
        ("[1, 2]", "holds list, not settings"),
        ("a: [", "is not YAML"),
        ("horizon: many", "horizon='many' is refused"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, content: str, line: str) -> None:
    """What is wrong in a config file is said with the file's name."""
    path = tmp_path / "run.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=r"run\.yaml") as caught:
        settings("a.py", "--data", "b.csv", "--config", str(path))
    assert line in str(caught.value)


@pytest.mark.parametrize(
    ("given_labels", "labels"),
    [((), ()), (("lucky,losing",), ("lucky", "losing")), (("lucky", "robust"), ("lucky", "robust"))],
)
def test_labels_are_separated_by_commas_or_repeated(given_labels: tuple[str, ...], labels: tuple[str, ...]) -> None:
    """`--fail-on lucky,losing` and `--fail-on lucky --fail-on losing` are the same."""
    arguments = [word for label in given_labels for word in ("--fail-on", label)]
    assert settings("a.py", "--data", "b.csv", *arguments).fail_on == labels


def test_an_output_folder_that_stayed_empty_goes_again(tmp_path: Path) -> None:
    """Folders made for a run that failed are removed, up to the first that was there."""
    with pytest.raises(InputError, match="wrong"), options.output_folder(str(tmp_path / "a" / "b")):
        raise InputError("wrong")
    assert list(tmp_path.iterdir()) == []


def test_an_output_folder_with_content_stays(tmp_path: Path) -> None:
    """What was written stays."""
    with options.output_folder(str(tmp_path / "a" / "b")) as folder:
        (folder / "file").touch()
    assert (tmp_path / "a" / "b" / "file").is_file()
