"""Sentences under pictures say what the facts are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from stresslab.analysis.result import StressResult
from stresslab.report import captions
from stresslab.report.wording import money, percent, price, share


def test_the_fan_s_sentence_names_its_middle_and_what_followed(single: StressResult, forward: StressResult) -> None:
    """Half of the universes, and the real end among the quantiles; without real bars that is said."""
    last = single.fan.iloc[-1]
    text = captions.universes_sentence(single)
    assert f"between {price(float(last['0.25']))} and {price(float(last['0.75']))}" in text
    assert single.future is not None
    assert f"ended at {price(float(single.future.values[-1, 3]))}" in text
    assert "looks only forward" in captions.universes_sentence(forward)
    assert captions.universes_title(single).endswith("over the real path")
    assert captions.universes_title(replace(forward, universes_count=1)) == "1 universe after the real path"


def test_an_end_is_placed_between_the_nearest_quantiles() -> None:
    """Outside all of them it lies beyond the outermost; shares that leave some universes out would puzzle."""
    quantiles = pd.Series([90.0, 100.0, 110.0], index=["0.05", "0.5", "0.95"])
    assert captions._among(quantiles, 105.0) == "between the 50% and 95% quantiles"
    assert captions._among(quantiles, 100.0) == "at the 50% quantile"
    assert captions._among(quantiles, 80.0) == f"below {share(0.95)}"
    assert captions._among(quantiles, 120.0) == f"above {share(0.95)}"


def test_losses_are_counted_as_they_are(single: StressResult) -> None:
    """The number of universes with a loss is that of the metrics, and the real outcome has its place."""
    strategy = single.strategies[0]
    lost, count = int((strategy.metrics["total_return"] < 0).sum()), len(strategy.metrics)
    text = captions.pnl_sentence(strategy)
    assert text.startswith(f"In {lost:,} of {count:,} universes ({share(lost / count)})")
    assert percent(strategy.realised_return, signed=True) in text
    assert captions.REALISED not in captions.pnl_sentence(replace(strategy, realised=None))


def test_the_account_s_sentence_is_in_money(single: StressResult) -> None:
    """From the initial capital to the middle of the fan."""
    strategy = single.strategies[0]
    last = strategy.equity_fan.iloc[-1]
    text = captions.equity_sentence(strategy, 100_000.0)
    assert text.startswith(f"Of {money(100_000.0)}, half of the universes make between {money(last['0.25'])}")
    assert np.isfinite(float(last["0.5"]))


def test_labels_are_counted_and_explained(several: StressResult, single: StressResult) -> None:
    """One strategy needs no headline; of several each label is counted, and those that are there are explained."""
    assert captions.headline(single) == ""
    labels = [one.verdict.label for one in several.strategies]
    text = captions.headline(several)
    for label in set(labels) - {"robust"}:
        assert f"{labels.count(label)} {label}" in text
    assert [label for label, _ in captions.label_keys(several)] == [
        label for label in captions.LABELS if label in labels
    ]
    losses = [one.universes.probability_of_loss.value for one in several.strategies]
    assert f"As generated, {share(min(losses))} to {share(max(losses))} of universes" in captions.overview_sentence(
        several
    )
