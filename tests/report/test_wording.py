"""How numbers, names and reports of checks read."""

from __future__ import annotations

import math

import pytest

from stresslab.analysis.result_models import LABELS
from stresslab.metrics.measures import MEASURES
from stresslab.report import wording


@pytest.mark.parametrize(
    ("fraction", "signed", "text"),
    [
        (0.1234, True, "+12.3%"),
        (-0.031, False, "-3.1%"),
        (0.0004, False, "0.04%"),
        (2.5, False, "250%"),
        (-1e-9, True, "0.0%"),
        (0.0, True, "0.0%"),
        (None, True, "–"),
        (math.nan, False, "–"),
        (math.inf, False, "–"),
    ],
)
def test_percent(fraction: float | None, signed: bool, text: str) -> None:
    """Percent have one decimal, more for small ones, no sign at zero, and a dash where there is no number."""
    assert wording.percent(fraction, signed=signed) == text


def test_amounts_and_prices() -> None:
    """Amounts and prices have as many digits as people use."""
    assert wording.money(-1234.4, signed=True) == "-1,234"
    assert wording.money(math.nan) == "–"
    assert wording.short_money(95_000) == "95k"
    assert wording.price(7823.46) == "7,823.5"
    assert wording.price(0.00012345) == "0.00012345"


def test_open_intervals() -> None:
    """An interval without an end says so."""
    assert wording.interval(0.1, 0.2) == "10.0% to 20.0%"
    assert wording.interval(None, 0.2) == "up to 20.0%"
    assert wording.interval(0.1, None) == "from 10.0%"
    assert wording.interval(None, None) == "–"


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_reads(name: str) -> None:
    """Each measure has a text for a number, and a dash for none."""
    assert wording.measure(name, 0.5)
    assert wording.measure(name, None) == wording.measure(name, math.nan) == "–"


def test_every_label_has_a_sign() -> None:
    """Verdicts are told apart without colour."""
    assert len({wording.GLYPHS[label] for label in LABELS}) == len(LABELS)


def test_names_are_cleaned() -> None:
    """Control characters and line breaks become blanks; an empty name has a word."""
    assert wording.clean("a\x1b[1m\nb") == "a [1m b"
    assert wording.clean("\n") == "unnamed"
    assert wording.clean("策略 ♞") == "策略 ♞"


def test_a_size_that_keeps_a_limit_is_rounded_down() -> None:
    """A larger one need not keep it; hundredths stay as they are."""
    assert [wording.largest_multiple(size) for size in (0.376, 0.29, 0.57, 10.0, 0.0)] == [
        "0.37x", "0.29x", "0.57x", "10.00x", "0.00x",
    ]  # fmt: skip
