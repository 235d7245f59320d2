"""Distributions over universes: intervals that cover, tails that match their definitions, a summary as documented."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from stresslab.metrics.distribution import (
    QUANTILES,
    Interval,
    describe_realised,
    describe_universes,
    expected_shortfall,
    percentile_of,
    probability_of_drawdown,
    probability_of_loss,
    quantile_interval,
    summary,
    value_at_risk,
    wilson,
)
from stresslab.metrics.measures import MEASURES

samples = hnp.arrays(np.float64, st.integers(1, 200), elements=st.floats(-1, 3))


def test_wilson_published():
    """The four intervals of Newcombe (1998, table I, method 3)."""
    for (successes, universes), (low, high) in {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }.items():
        interval = wilson(successes, universes)
        assert interval.value == successes / universes
        assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_equals_scipy(counts):
    """It is the interval of scipy's binomial test, for every count."""
    successes, universes = counts
    other = stats.binomtest(successes, universes).proportion_ci(method="wilson")
    interval = wilson(successes, universes)
    assert (interval.low, interval.high) == pytest.approx((other.low, other.high), abs=1e-12)
    assert 0 <= interval.low <= interval.value <= interval.high <= 1


def test_wilson_of_nothing():
    """No universes leave everything possible."""
    nothing = wilson(0, 0)
    assert math.isnan(nothing.value)
    assert (nothing.low, nothing.high) == (0, 1)


def test_no_loss_in_n_is_not_no_risk():
    """None of 1,000 still means up to 3 or 4 in 1,000 (the rule of three)."""
    assert 3 / 1000 < wilson(0, 1000).high < 4 / 1000


def test_quantile_interval_ranks():
    """The 95% interval of the median of 1 ... 100 lies between the 40th and the 61st."""
    interval = quantile_interval(np.arange(1, 101), 0.5)
    assert (interval.value, interval.low, interval.high) == (50.5, 40, 61)


@settings(max_examples=50)
@given(st.integers(1, 400), st.sampled_from(QUANTILES))
def test_quantile_interval_covers_exactly(universes, probability):
    """Its binomial coverage reaches 95%, and neither end could be drawn in by one rank."""
    interval = quantile_interval(np.arange(1, universes + 1), probability)
    lower = 0 if math.isinf(interval.low) else int(interval.low)
    upper = universes + 1 if math.isinf(interval.high) else int(interval.high)
    binomial = stats.binom(universes, probability)
    assert binomial.cdf(lower - 1) <= 0.025 + 1e-12
    assert binomial.sf(upper - 1) <= 0.025 + 1e-12
    assert binomial.cdf(lower) > 0.025
    assert binomial.sf(upper - 2) > 0.025


def test_too_few_universes_do_not_bound_an_extreme_quantile():
    """A hundred universes bound the 1% quantile from above alone."""
    interval = quantile_interval(np.arange(100), 0.01)
    assert interval.low == -math.inf
    assert interval.high < 10
    assert interval.ends()[0] is None


def test_value_at_risk_and_shortfall_by_hand():
    """Of the returns -1.00, -0.99 ... 0.99 the 5% quantile is -0.9005 and the worst 2.5% average -0.98."""
    returns = np.arange(-100, 100) / 100
    assert value_at_risk(returns, 0.95).value == pytest.approx(0.9005)
    assert expected_shortfall(returns).value == pytest.approx(0.98)
    assert expected_shortfall(returns[::-1]).value == pytest.approx(0.98)


def test_shortfall_counts_the_last_universe_by_its_fraction():
    """Of 60 universes the worst 2.5% are one and a half: (-0.9 - 0.4 / 2) / 1.5; of 20 the worst one."""
    returns = np.concatenate([[-0.9, -0.4], np.zeros(58)])
    assert expected_shortfall(returns).value == pytest.approx(1.1 / 1.5)
    assert expected_shortfall(returns[:20]).value == pytest.approx(0.9)


def test_gains_are_negative_losses():
    """Where even the worst universes gain, value at risk and shortfall are negative."""
    returns = np.linspace(0.1, 0.3, 500)
    assert value_at_risk(returns, 0.99).value < 0
    assert expected_shortfall(returns).value < 0


@given(samples, st.integers(0, 5))
def test_shortfall_is_no_smaller_than_value_at_risk(sample, seed):
    """At one confidence the mean beyond the quantile is no milder than the quantile, and not beyond the worst."""
    shortfall = expected_shortfall(sample, 0.95, seed=seed)
    assert shortfall.value >= value_at_risk(sample, 0.95).value - 1e-9
    assert shortfall.value <= -sample.min() + 1e-9
    assert -sample.max() - 1e-9 <= shortfall.low <= shortfall.high <= -sample.min() + 1e-9


def test_shortfall_bootstrap_is_the_ordinary_one():
    """Drawing a resample's lowest order statistics directly gives the percentiles of resampling everything."""
    rng = np.random.default_rng(5)
    sample = rng.standard_t(5, 400)
    means = [-np.sort(rng.choice(sample, 400))[:10].mean() for _ in range(4000)]
    interval = expected_shortfall(sample)
    assert (interval.low, interval.high) == pytest.approx(np.quantile(means, [0.025, 0.975]), rel=0.05)


def test_shortfall_stream_is_its_own():
    """The same seed gives the same interval, another seed another one, and the estimate needs no seed."""
    sample = np.random.default_rng(1).normal(size=1000)
    assert expected_shortfall(sample, seed=3) == expected_shortfall(sample, seed=3)
    assert expected_shortfall(sample, seed=3).low != expected_shortfall(sample, seed=4).low
    assert expected_shortfall(sample, seed=3).value == expected_shortfall(sample, seed=4).value


def test_percentile_is_a_mid_rank():
    """The share below plus half of the ties: 0.5 among equals, 0 below all, 1 above all."""
    assert percentile_of(3, [1, 2, 3, 3, 9]).value == pytest.approx(3 / 5)
    assert percentile_of(1, np.ones(7)).value == 0.5
    assert percentile_of(0, [1, 2]).value == 0
    assert percentile_of(3, [1, 2]).value == 1
    assert math.isnan(percentile_of(math.nan, [1, 2]).value)


@given(samples, st.floats(-1, 3))
def test_percentile_mirrors(sample, realised):
    """The percentile from above and the one from below add to one."""
    upward, downward = percentile_of(realised, sample), percentile_of(-realised, -sample)
    assert upward.value + downward.value == pytest.approx(1)
    assert upward.low + downward.high == pytest.approx(1)


def test_loss_and_drawdown_probabilities():
    """A return of exactly zero is no loss, a drawdown of exactly 10% is not more than 10%."""
    assert probability_of_loss([-0.1, 0.0, 0.1, -1e-9]).value == 0.5
    assert probability_of_drawdown([-0.1, -0.11, 0.0, -0.3], 0.1).value == 0.5


def test_summary_leaves_undefined_universes_out_and_counts_them():
    """NaN and infinities enter no figure; their share is reported; JSON holds the rest."""
    entry, intervals = summary(np.array([1.0, np.nan, 3.0, np.inf]), tail=False)
    assert (entry["mean"], entry["min"], entry["max"], entry["undefined"]) == (2, 1, 3, 0.5)
    assert entry["value_at_risk_95"] is None
    assert json.loads(json.dumps([entry, intervals], allow_nan=False))


def test_summary_of_nothing_is_null():
    """A measure that is undefined in every universe has nulls, not zeros."""
    entry, intervals = summary(np.full(5, np.nan), tail=True)
    assert entry["undefined"] == 1
    assert {entry["mean"], entry["std"], entry["min"], entry["max"], *entry["quantiles"].values()} == {None}
    assert all(ends == [None, None] for ends in intervals.values())


def metrics(universes: int, seed: int = 0) -> pd.DataFrame:
    """A table of measures with plausible numbers."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({name: rng.normal(size=universes) for name in MEASURES})
    frame["max_drawdown"] = -rng.uniform(size=universes)
    return frame.rename_axis("universe")


def test_describe_universes_has_the_documented_form():
    """The section has the keys of `result.json`, numbers that match their definitions, and survives JSON."""
    table = metrics(1000)
    section = describe_universes(table, seed=7)
    shares = {"probability_of_loss", "never_traded", "ruined", "probability_of_drawdown"}
    assert set(section) == {"count", "measures", "intervals", *shares}
    assert section["count"] == 1000
    assert list(section["measures"]) == list(MEASURES)
    total, returns = section["measures"]["total_return"], table["total_return"].to_numpy()
    assert list(total) == [
        *("mean", "std", "min", "max", "quantiles"),
        *("value_at_risk_95", "value_at_risk_99", "expected_shortfall_97_5", "undefined"),
    ]
    assert list(total["quantiles"]) == ["0.01", "0.05", "0.25", "0.5", "0.75", "0.95", "0.99"]
    assert total["mean"] == pytest.approx(returns.mean())
    assert total["std"] == pytest.approx(returns.std(ddof=1))
    assert total["value_at_risk_95"] == -total["quantiles"]["0.05"] == pytest.approx(-np.quantile(returns, 0.05))
    assert total["expected_shortfall_97_5"] == pytest.approx(-np.sort(returns)[:25].mean())
    loss = section["probability_of_loss"]
    assert loss == wilson(int((returns < 0).sum()), 1000).to_dict()
    assert set(section["probability_of_drawdown"]) == {"0.1", "0.2"}
    assert json.loads(json.dumps(section, allow_nan=False)) == section
    assert describe_universes(table, seed=7) == section


def test_every_interval_holds_its_figure():
    """Each path in "intervals" names a figure of "measures", which lies between the two ends."""
    section = describe_universes(metrics(500))
    for path, (low, high) in section["intervals"].items():
        measure, rest = path.split(".", 1)
        entry = section["measures"][measure]
        value = entry["quantiles"][rest.removeprefix("quantiles.")] if rest.startswith("quantiles.") else entry[rest]
        assert low is None or low <= value, path
        assert high is None or value <= high, path
    assert section["intervals"]["total_return.quantiles.0.05"][1] is not None


def test_describe_realised():
    """The real outcome's place among the universes, by measure; nulls where nothing followed."""
    table = metrics(200)
    realised = table.median().to_dict() | {"win_rate": math.nan}
    section = describe_realised(realised, table)
    low, high = section["realised_percentile_interval"]
    assert section["realised_percentile"] == pytest.approx(0.5, abs=0.01)
    assert low < section["realised_percentile"] < high
    assert section["percentiles"]["win_rate"] is None
    assert json.dumps(section, allow_nan=False)
    assert describe_realised(None, table)["realised_percentile"] is None
    assert sum(section[side]["value"] for side in ("better", "equal", "worse")) == pytest.approx(1.0)
    idle = table.assign(total_return=0.0)
    still = describe_realised(realised | {"total_return": 0.0}, idle)
    assert [still[side]["value"] for side in ("better", "equal", "worse")] == [0.0, 1.0, 0.0]


def test_interval_as_json():
    """Infinite ends and NaN become null."""
    assert Interval(0.5, -math.inf, math.nan).to_dict() == {"value": 0.5, "low": None, "high": None}


@pytest.mark.slow
@pytest.mark.parametrize("probability", [0.02, 0.1, 0.3, 0.5])
def test_wilson_covers(probability):
    """Over 20,000 samples of 1,000 universes the nominal 95% covers the true share at 94 to 96%."""
    counts = np.random.default_rng(2).binomial(1000, probability, 20_000)
    covered = {k: (i := wilson(k, 1000)).low <= probability <= i.high for k in np.unique(counts)}
    assert 0.94 <= np.mean([covered[k] for k in counts]) <= 0.96


@pytest.mark.slow
@pytest.mark.parametrize(
    "distribution",
    [stats.norm(), stats.t(3), stats.expon(), stats.uniform()],
    ids=["normal", "student", "exponential", "uniform"],
)
@pytest.mark.parametrize("probability", [0.05, 0.5, 0.99])
def test_quantile_interval_covers(distribution, probability):
    """Over 4,000 samples the nominal 95% covers the true quantile at 94% or more, and at 99% at most."""
    rng = np.random.default_rng(3)
    true = distribution.ppf(probability)
    samples = distribution.rvs((4000, 500), random_state=rng)
    covered = [(i := quantile_interval(sample, probability)).low <= true <= i.high for sample in samples]
    assert 0.94 <= np.mean(covered) <= 0.99


@pytest.mark.slow
@pytest.mark.parametrize(("universes", "least"), [(200, 0.70), (1000, 0.87), (5000, 0.92)])
@pytest.mark.parametrize("distribution", [stats.norm(), stats.t(4)], ids=["normal", "t4"])
def test_shortfall_interval_covers_what_its_docstring_says(distribution, universes, least):
    """The bootstrap's coverage of the true shortfall: near nominal with many in the tail, less with few."""
    rng = np.random.default_rng(4)
    edge = distribution.ppf(0.025)
    true = -distribution.expect(lambda x: x, ub=edge) / 0.025
    samples = distribution.rvs((500, universes), random_state=rng)
    covered = [(i := expected_shortfall(s, seed=k)).low <= true <= i.high for k, s in enumerate(samples)]
    assert least <= np.mean(covered) <= 0.97
