"""`stresslab scenarios`, and the flags of a run that name its crises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stresslab.analysis.conditions import parse_condition
from stresslab.analysis.continued_shocks import parse_shock
from stresslab.analysis.crises import read_crises
from stresslab.runs.settings import StressConfig
from tests.cli.conftest import Command
from tests.make.refused import assert_refused

RUN = ("run", "example:sma_cross", "--data", "sample:nasdaq", "--generator", "bootstrap", "--universes", "20",
       "--horizon", "30", "--jobs", "1")  # fmt: skip


def test_scenarios_lists_every_crisis(command: Command) -> None:
    """A line each, with market, date, bars and where they come from."""
    outcome = command("scenarios")
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert [line.split()[0] for line in lines[: len(read_crises())]] == list(read_crises())
    assert "S&P 500, 1987-10-14, bars: 9 (public closes); Black Monday" in outcome.out


def test_scenarios_lists_a_file_of_the_users_own(command: Command, tmp_path: Path) -> None:
    """And refuses what is none in one line."""
    path = tmp_path / "mine.yaml"
    path.write_text("own: {title: Mine, market: here, first: 2001-01-01, last: 2001-01-02, source: me, halt: 2}\n")
    outcome = command("scenarios", path)
    assert outcome.out == "own  here, 2001-01-01, bars: 2 without trading (halt); Mine\n"
    assert_refused(command("scenarios", tmp_path / "none.yaml"), "cannot be read", "give a YAML file")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--shock", "gap=-8%@31"), ("after the horizon of 30 bars",)),
        (("--shock", "gap=-130%@3"), ("leaves no price above 0",)),
        (("--scenarios", "crash_2021_03"), ("did you mean 'crash_2020_03'",)),
        (("--given", "drawdown >= 130%"), ("never happens",)),
        (("--given", "like 1990..1991"), ("holds 0 bars",)),
    ],
)
def test_bad_input_is_one_line(command: Command, tmp_path: Path, words: tuple[str, ...], told: tuple[str, ...]) -> None:
    """Before anything is sampled, and nothing is left behind."""
    assert_refused(command(*RUN, "--out", tmp_path / "out", *words), *told)
    assert not (tmp_path / "out").exists()


def test_the_recorded_command_repeats_every_flag() -> None:
    """So that it makes the same run again."""
    settings = StressConfig.of(
        {"strategies": ["a.py"], "data": "x.csv", "shock": ["gap=-8%@10", "halt=3@11"], "given": ["drawdown >= 30%"]}
    )
    assert "--shock gap=-8%@10 --shock halt=3@11 --given 'drawdown >= 30%'" in settings.command()


def test_the_documentation_shows_the_list(command: Command) -> None:
    """As the command prints it, and commands that can be given."""
    page = (Path(__file__).parents[2] / "docs" / "what_if.md").read_text(encoding="utf-8")
    assert command("scenarios").out in page
    asked = re.findall(r'--(shock|given) "([^"\n]+)"', page)
    assert {kind for kind, _ in asked} == {"shock", "given"}
    for kind, text in asked:
        if "my_crises" not in text:
            (parse_shock if kind == "shock" else parse_condition)(text)
