"""The stress test end to end: real parts, few universes; every promise of `stress_test` and of what it returns."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import stresslab as sl
from stresslab.analysis.result import LEVELS, StressResult
from stresslab.analysis.verdict import Criteria
from stresslab.backtest import Costs, Terms, backtest, buy_and_hold
from stresslab.backtest.evaluate import measures
from stresslab.core.errors import InputError, LookAheadError, StrategyError
from stresslab.data.bars import CLOSE, Bars
from stresslab.data.origin import MIN_HISTORY, split_at_origin
from stresslab.data.universes import Universes
from stresslab.metrics.measures import MEASURES
from stresslab.metrics.quantile_sketch import ACCURACY
from stresslab.report.formats.text import brief
from stresslab.runs.stress_test import stress_test
from stresslab.strategy import load_strategies
from tests.make.arguments import arguments
from tests.make.bars import make_bars
from tests.make.markets import make_market
from tests.runs.cases import BARS, BOOTSTRAP, COUNT, HORIZON, Changed, above_mean, hold, peek, refuse, run, short


def parquet(frame: pd.DataFrame) -> bytes:
    """The frame as the bytes of a file."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


def wilder(values: np.ndarray, last: float) -> np.ndarray:
    """Universes of three times the volatility."""
    prices = last * np.exp(3 * np.log(values[:, :, :4] / last))
    return np.concatenate([prices, values[:, :, 4:]], axis=2)


# ------------------------------------------------------------------------------------------ metrics and reproducibility


def test_metrics_has_a_row_for_each_strategy_and_universe() -> None:
    """All measures by their names, universes 0 ... N - 1 under each strategy, in the order given."""
    metrics = run([above_mean, hold]).metrics
    assert list(metrics.columns) == ["strategy", "universe", *MEASURES]
    assert metrics["strategy"].tolist() == ["above_mean"] * COUNT + ["hold"] * COUNT
    assert metrics["universe"].tolist() == [*range(COUNT), *range(COUNT)]
    assert np.isfinite(metrics[["total_return", "max_drawdown", "exposure", "excess_return"]]).all(axis=None)


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Twice in a row and with other numbers of workers metrics and evidence are the same; another seed's are others."""
    settings = {"universes": 1100, "horizon": 5, "realism_origins": 2}
    first, again, parallel = (run(**settings, jobs=jobs) for jobs in (1, 1, 2))
    assert parquet(first.metrics) == parquet(again.metrics) == parquet(parallel.metrics)
    assert first.to_dict() == again.to_dict() == parallel.to_dict()
    assert parquet(run(**settings | {"seed": 4, "realism_origins": 0}).metrics) != parquet(first.metrics)


def test_fewer_universes_are_the_first_of_more() -> None:
    """A universe is the same however many there are."""
    few, many = run(universes=10).metrics, run(universes=30).metrics
    pd.testing.assert_frame_equal(few, many[:10])


def test_strategies_meet_the_same_universes() -> None:
    """A strategy's figures do not depend on what runs beside it, and holding equals its benchmark in each universe."""
    both = run([hold, above_mean, short], costs=Costs(0, 0))
    pd.testing.assert_frame_equal(both.strategies[1].metrics, run(costs=Costs(0, 0)).strategies[0].metrics)
    np.testing.assert_allclose(both.strategies[0].metrics["excess_return"], 0, atol=1e-12)
    up, down = (both.strategies[at].metrics["total_return"] for at in (0, 2))
    assert np.corrcoef(up, down)[0, 1] < -0.98


def test_the_fan_is_of_the_generators_universes() -> None:
    """Quantiles and sample paths are those of what the generator samples from the history."""
    result = run()
    sampled = BOOTSTRAP.sample(BARS[:-HORIZON], HORIZON, COUNT, 3)
    closes = sampled.values[:, :, CLOSE]
    assert result.fan.index.equals(sampled.timestamps)
    np.testing.assert_allclose(result.fan.to_numpy(), np.quantile(closes, LEVELS, axis=0).T, rtol=1.01 * ACCURACY)
    np.testing.assert_array_equal(result.sample_paths, closes[:30])
    assert result.generator == BOOTSTRAP.describe()
    assert result.generator_facts["bars_seen"] == len(BARS) - HORIZON


def test_kronos_is_a_generator_like_any_other(tmp_path: Path) -> None:
    """With Kronos too the workers change nothing; its cut tails, its temperature and its training are noted."""
    torch = pytest.importorskip("torch")
    from tests.generators.kronos.cases import save_tiny

    before = torch.get_num_threads()
    generator = sl.Kronos(str(save_tiny(tmp_path)), temperature=0.9, top_p=0.95)
    first, parallel = (run(generator=generator, universes=70, horizon=4, jobs=jobs) for jobs in (1, 2))
    assert parquet(first.metrics) == parquet(parallel.metrics)
    assert first.in_sample is True
    assert [notice.split()[0].partition("=")[0] for notice in first.notices] == ["In-sample", "top_p", "temperature"]
    assert torch.get_num_threads() == before


# ----------------------------------------------------------------------------------------------------------- the origin


def test_by_default_a_horizon_of_real_bars_follows() -> None:
    """The origin lies one horizon before the end, so that what happened can be compared."""
    result = run()
    assert result.origin == BARS.timestamps[-HORIZON - 1]
    assert result.history.timestamps[-1] == result.origin
    assert result.future is not None
    assert result.future.digest == BARS[-HORIZON:].digest
    assert result.strategies[0].realised is not None


def test_an_origin_at_the_end_has_no_realised_outcome() -> None:
    """`end` looks forward only: nothing real follows, and nothing is said to be missing."""
    result = run(origin="end")
    assert result.origin == BARS.timestamps[-1]
    assert result.future is None
    assert result.strategies[0].realised is None
    assert result.strategies[0].realised_equity is None
    assert result.strategies[0].luck.realised_percentile is None
    assert result.notices == []


def test_an_origin_may_be_a_date() -> None:
    """A date means its last bar, or the last before it; a time stamp means itself."""
    day = BARS.timestamps[300]
    for origin in (str(day.date()), day, str(day)):
        assert run(origin=origin).origin == day
    monday = next(stamp for stamp in BARS.timestamps[300:] if stamp.day_of_week == 0)
    assert run(origin=str(monday - pd.Timedelta(days=1))[:10]).origin == monday - pd.Timedelta(days=3)


def test_an_incomplete_future_is_drawn_but_not_compared() -> None:
    """With fewer real bars than a horizon there is no realised outcome, and a notice says why."""
    result = run(origin=BARS.timestamps[-8])
    assert result.future is not None
    assert len(result.future) == 7
    assert result.strategies[0].realised is None
    assert result.notices == [
        "Only 7 of 20 real bars follow the origin: they are drawn but not compared, since risk grows with the horizon."
    ]


def test_an_origin_after_the_data_is_refused() -> None:
    """A date that the bars do not reach is no origin; the days off after the last bar still belong to it."""
    friday = next(at for at in range(len(BARS), 0, -1) if BARS.timestamps[at - 1].day_of_week == 4)
    bars = BARS[:friday]
    saturday, monday = (bars.timestamps[-1] + pd.Timedelta(days=days) for days in (1, 3))
    assert split_at_origin(bars, str(saturday.date()), HORIZON)[1] is None
    with pytest.raises(InputError, match=r"origin=.* lies after the last bar, .*; choose a date up to it, or `orig"):
        split_at_origin(bars, str(monday.date()), HORIZON)


@pytest.mark.parametrize(
    ("bars", "origin", "words"),
    [
        (BARS[:40], None, "40 bars are fewer than the 60"),
        (BARS[:70], None, "70 bars leave 50 before an origin 20 bars from the end, fewer than 60"),
        (BARS[:10], "end", "10 bars are fewer than the 60"),
        (BARS, "1999-01-01", f"leaves 0 bars of history, fewer than 60; choose a date from {BARS.timestamps[59]} on"),
        (BARS, "yesterday evening", "origin='yesterday evening' is not a date.*or 'end' for the last bar"),
    ],
    ids=["too few", "too few for the horizon", "too few at the end", "too early", "no date"],
)
def test_too_little_history_is_refused(bars: Bars, origin: str | None, words: str) -> None:
    """One line says how many bars there are, how many are needed and what to do."""
    with pytest.raises(InputError, match=words) as caught:
        run(bars=bars, origin=origin)
    assert "\n" not in str(caught.value)


def test_the_shortest_history_that_is_enough() -> None:
    """The least number of bars runs, evidence included, with any number of workers."""
    result = run(bars=BARS[:MIN_HISTORY], origin="end", realism_origins=2, jobs=2)
    assert result.realism.assessed
    assert result.realism.origins == 0


# ---------------------------------------------------------------------------------------------------- the three grounds


def by_hand(strategy: Any, future: Bars, history: Bars, position: str = "carry") -> tuple[pd.Series, np.ndarray]:
    """Measures and equity of the engine on real bars, with the calendar of the history up to the origin."""
    ground = Universes.from_bars(future, history)
    (one,) = load_strategies(strategy, {})
    account = backtest(one, ground, Terms(warmup=100, position=position))
    benchmark = buy_and_hold(ground)
    return measures(account, BARS[:-HORIZON].periods_per_year, benchmark).iloc[0], account.equity[:, 0]


@pytest.mark.parametrize("position", ["carry", "flat"])
def test_realised_is_the_engine_on_what_followed(position: str) -> None:
    """What really happened goes through the same code as a universe."""
    result = run(position=position).strategies[0]
    expected, equity = by_hand(above_mean, BARS[-HORIZON:], BARS[:-HORIZON], position)
    assert result.realised is not None
    assert result.realised == pytest.approx(expected.to_dict(), nan_ok=True, abs=0, rel=0)
    np.testing.assert_array_equal(result.realised_equity, equity)


def test_the_backtest_is_the_engine_on_what_went_before() -> None:
    """The bars before the origin, less those that indicators warm up on."""
    expected, _ = by_hand(above_mean, BARS[100:-HORIZON], BARS[:100])
    assert run().strategies[0].backtest == pytest.approx(expected.to_dict(), nan_ok=True, abs=0, rel=0)


def test_a_real_path_among_the_universes_has_the_realised_figures() -> None:
    """A generator that samples what really followed gives the realised measures, in universes that count once."""

    def reality(values: np.ndarray, last: float) -> np.ndarray:
        return np.broadcast_to(BARS.values[-HORIZON:], values.shape).copy()

    result = run(generator=Changed(reality)).strategies[0]
    assert result.realised is not None
    for name in MEASURES:
        np.testing.assert_array_equal(result.metrics[name], [result.realised[name]])


def test_carry_opens_what_was_held_and_flat_waits() -> None:
    """A position that has been held since long before the origin is opened at once, or never."""
    carried, waiting = run(hold), run(hold, position="flat")
    assert (carried.strategies[0].metrics["exposure"] == 1).all()
    assert (waiting.strategies[0].metrics["exposure"] == 0).all()
    assert waiting.strategies[0].metrics["total_return"].tolist() == [0.0] * COUNT
    assert waiting.strategies[0].verdict.label == "inconclusive"
    assert waiting.strategies[0].realised is not None
    assert waiting.strategies[0].realised["exposure"] == 0


@pytest.mark.parametrize(("warmup", "seen"), [(0, 0), (50, 50), (500, 380)])
def test_indicators_warm_up_on_what_there_is(warmup: int, seen: int) -> None:
    """The panel holds the warm-up that was asked for, or all the history where that is shorter."""
    shapes = set()

    def watched(bars: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
        shapes.add(bars.close.shape)
        return hold(bars)

    result = run(watched, warmup=warmup)
    assert (seen + HORIZON, COUNT) in shapes
    assert (seen + HORIZON, 1) in shapes
    assert np.isfinite(result.strategies[0].backtest["total_return"])


def test_costs_cost() -> None:
    """The same universes with higher costs leave less to a strategy that trades."""
    free, dear = (run(costs=Costs(fees, 0)).strategies[0].metrics for fees in (0, 0.01))
    traded = free["trades"] > 0
    assert traded.any()
    assert (free["total_return"] > dear["total_return"])[traded].all()


# ------------------------------------------------------------------------------------------------------- the strategies


def test_a_file_with_parameters(tmp_path: Path) -> None:
    """A strategy file gets its parameters; the others keep their defaults, and what it does follows."""
    path = tmp_path / "mean.py"
    path.write_text(
        "def signals(bars, window=20, share=1.0):\n"
        "    above = bars.close > bars.close.rolling(window).mean()\n"
        "    return above, ~above\n"
    )
    default, changed = run(path), run(path, params={"window": 5})
    assert default.strategies[0].name == "mean"
    assert changed.strategies[0].parameters == {"window": 5, "share": 1.0}
    assert changed.config["params"] == {"window": 5}
    assert not default.metrics.equals(changed.metrics)
    pd.testing.assert_frame_equal(default.metrics.drop(columns="strategy"), run().metrics.drop(columns="strategy"))
    with pytest.raises(StrategyError, match="did you mean 'window'"):
        run(path, params={"windw": 5})


def test_parameters_that_json_has_no_word_for_are_written_down() -> None:
    """A result is plain JSON whatever the parameters are."""

    def stopped(bars: Any, stop: float = float("inf"), step: Any = None, span: Any = None) -> Any:
        return hold(bars)

    result = run(stopped, params={"step": np.int64(3), "span": pd.Timedelta("5D")})
    assert result.strategies[0].parameters["stop"] == float("inf")
    recorded = json.loads(json.dumps(result.to_dict(), allow_nan=False))["strategies"][0]["parameters"]
    assert recorded == {"stop": "inf", "step": 3, "span": "5 days 00:00:00"}


def test_strategies_of_one_name_stay_apart() -> None:
    """The second of a name gets a number, so that no row of the metrics belongs to two."""
    result = run([above_mean, above_mean])
    assert [one.name for one in result.strategies] == ["above_mean", "above_mean-2"]
    assert result.metrics.groupby("strategy").size().tolist() == [COUNT, COUNT]


def test_looking_ahead_is_refused_unless_allowed() -> None:
    """A strategy that knows the next bar is refused before anything is sampled; allowed, every reader is told."""
    with pytest.raises(LookAheadError, match=r"'peek' looks ahead: .*`allow_lookahead`") as caught:
        run([above_mean, peek], generator=Changed(refuse))
    assert "\n" not in str(caught.value)
    result = run([above_mean, peek], allow_lookahead=True)
    assert [bool(one.lookahead.found) for one in result.strategies] == [False, True]
    assert len(result.notices) == 1
    assert result.notices[0].startswith("peek LOOKS AHEAD")


def test_a_strategy_that_never_decides_is_said_to_be_unchecked() -> None:
    """Where nothing fires, the absence of look-ahead proves nothing."""

    def silent(bars: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
        return bars.close < 0, bars.close < 0

    result = run(silent)
    assert result.notices == ["silent: whether it looks ahead is open: no decision fired in 380 bars."]
    assert result.strategies[0].verdict.label == "inconclusive"


# ------------------------------------------------------------------------------------------- trust, training, verdict


def test_an_untrusted_generator_leaves_the_verdict_open() -> None:
    """Universes three times as wild as the market do not decide, unless they are accepted, and then that is said."""
    bars, settings = make_bars(800), {"generator": Changed(wilder), "horizon": 10, "realism_origins": 24}
    refused = run(short, bars, **settings)
    assert refused.realism.label == "not trusted"
    assert refused.strategies[0].verdict.label == "inconclusive"
    assert any("do not behave like this market" in reason for reason in refused.strategies[0].verdict.reasons)
    accepted = run(short, bars, **settings, accept_untrusted=True)
    assert accepted.strategies[0].verdict.checks[1].passed is not False
    assert any("`accept_untrusted`" in notice for notice in accepted.notices)
    assert not any("`accept_untrusted`" in notice for notice in refused.notices)
    pd.testing.assert_frame_equal(accepted.metrics, refused.metrics)


def test_without_realism_trust_is_open() -> None:
    """Realism that was not asked for is not claimed: the check neither passes nor fails."""
    result = run()
    assert result.realism is None
    (check,) = [check for check in result.strategies[0].verdict.checks if check.name == "trusted_universes"]
    assert check.passed is None


def test_realism_sees_nothing_after_the_origin() -> None:
    """Bars after the origin change neither the universes nor the evidence."""
    wild = BARS.frame.copy()
    wild.iloc[-HORIZON:] *= 1.5
    other = Bars.from_frame(wild, symbol="WALK", source="test")
    first, second = run(realism_origins=2), run(bars=other, realism_origins=2)
    assert first.realism == second.realism
    pd.testing.assert_frame_equal(first.metrics, second.metrics)
    assert first.strategies[0].realised != second.strategies[0].realised


def test_the_verdict_follows_the_universes() -> None:
    """Its share of losses is that of the metrics, and its thresholds can be set."""
    result = run(universes=200).strategies[0]
    share = (result.metrics["total_return"] < 0).mean()
    assert result.universes.probability_of_loss.value == share
    kind = run(universes=200, criteria=Criteria(robust=0.98, lucky=0.99)).strategies[0].verdict
    assert {0.98, 0.99} <= {check.threshold for check in kind.checks}
    assert kind.label != run(universes=200, criteria=Criteria(robust=0.001, lucky=0.002)).strategies[0].verdict.label


# ---------------------------------------------------------------------------------------------- progress and settings


def test_a_small_run_says_how_many_universes_would_settle_it() -> None:
    """More than it had, while studies can look at as many."""
    result = stress_test(
        above_mean, make_bars(500), BOOTSTRAP, universes=60, horizon=40, origin="end", seed=3,
        studies=sl.Studies(permutations=49, realism_origins=0),
    )  # fmt: skip
    verdict = result.strategies[0].verdict
    assert verdict.label == "inconclusive"
    assert verdict.universes_needed is not None
    assert 60 < verdict.universes_needed <= 2000
    assert "would settle it" in verdict.reasons[1]


def test_progress_tells_every_stage() -> None:
    """Each stage begins at nothing, only rises and ends at its total, in the order in which they are done."""
    told: list[tuple[str, int, int]] = []
    result = run([above_mean, hold], realism_origins=3, progress=lambda *step: told.append(step))
    stages = list(dict.fromkeys(stage for stage, _, _ in told))
    assert stages == ["look-ahead check", "realism", "real bars", "sampling", "backtest", "evidence", "studies"]
    universes = {stage: total for stage, _, total in told}
    totals = dict(zip(stages, (2, 3, 2, COUNT, COUNT, universes["evidence"], universes["studies"]), strict=True))
    for stage in stages:
        done = [done for name, done, _ in told if name == stage]
        assert done[0] == 0
        assert done == sorted(done)
        assert done[-1] == totals[stage]
        assert {total for name, _, total in told if name == stage} == {totals[stage]}
    assert list(result.timings) == stages
    assert all(seconds >= 0 for seconds in result.timings.values())


def test_terms_reach_every_ground() -> None:
    """Sizing, stops, credit and interest change universes, backtest and real outcome alike, and are recorded."""
    terms = {"sizing": sl.Sizing(fraction=0.5), "stops": sl.Stops(stop_loss=0.01), "risk_free": 0.02}
    plain, changed = run(), run(**terms)
    one, other = plain.strategies[0], changed.strategies[0]
    assert other.realised is not None
    assert other.realised != one.realised
    assert other.backtest != one.backtest
    assert not other.metrics.equals(one.metrics)
    assert (changed.config["sizing"], changed.config["stop_loss"], changed.config["risk_free"]) == (
        "fraction=0.5", 0.01, 0.02,
    )  # fmt: skip
    assert "sizing" not in plain.config


def test_leverage_is_refused_until_it_is_allowed() -> None:
    """A weight of 2 names the setting that allows it."""

    def double(bars: Any) -> pd.DataFrame:
        return bars.close * 0 + 2.0

    with pytest.raises(StrategyError, match="raise `max_leverage`"):
        run(double)
    found = run(double, max_leverage=2.0).strategies[0].metrics
    assert found["annual_volatility"].median() > 1.8 * run(hold).strategies[0].metrics["annual_volatility"].median()


def test_ruined_universes_are_counted() -> None:
    """Accounts that lost everything are a share of their own, and so are those that never traded."""
    wild = Changed(lambda values, last: values * np.where(np.arange(HORIZON) > 5, 0.4, 1.0)[None, :, None])

    def all_in(bars: Any) -> pd.DataFrame:
        return bars.close * 0 + 3.0

    found = run(all_in, generator=wild, max_leverage=3.0).strategies[0].universes
    assert found.ruined.value == 1
    assert found.never_traded.value == 0


@dataclass(frozen=True)
class SeedsSeen(sl.StationaryBootstrap):
    """Remembers the seeds that it is asked to sample with."""

    seen: list[int] = field(default_factory=list)

    def sample(self, bars: Bars, horizon: int, universes: int, seed: int = 0, **options: Any) -> Universes:
        """As the bootstrap does."""
        self.seen.append(seed)
        return super().sample(bars, horizon, universes, seed, **options)


def test_no_two_parts_of_a_run_and_no_two_runs_share_random_numbers() -> None:
    """Universes, each past origin and each fold have seeds of their own, which those of the next seed do not repeat."""
    asked = arguments(realism_origins=5, walk_forward=3, permutations=0, jobs=1)
    seeds = []
    for seed in (1, 2):
        generator = SeedsSeen(block=10)
        stress_test(above_mean, BARS, generator, COUNT, HORIZON, seed=seed, **asked)
        assert generator.seen.count(seed) == 1
        assert len(generator.seen) == 1 + 5 + 3
        seeds += generator.seen
    assert len(set(seeds)) == len(seeds)


def test_other_dates_and_generators_are_asked_of_a_market() -> None:
    """A strategy over several symbols has folds and every alternative, as one over a series has."""

    def weights(market: Any) -> pd.DataFrame:
        return (market.close > market.close.rolling(20).mean()) / 3.0

    asked = arguments(
        universes=24, horizon=15, realism_origins=0, permutations=0, jobs=1, walk_forward=2, alternative_generators=True
    )
    found = stress_test(weights, make_market(symbols=3, count=600), BOOTSTRAP, **asked)
    assert not [notice for notice in found.notices if "Left out" in notice]
    studies = found.strategies[0].studies
    assert studies.walk_forward is not None
    assert len(studies.walk_forward.origins) == 2
    assert studies.alternative_generators is not None
    labels = [row.label for row in studies.alternative_generators]
    assert labels == ["as run", "as run, without drift", "GARCH", "block bootstrap", "single bars"]


def test_the_verdict_is_said_before_the_studies() -> None:
    """What is known at the verdict is what the run ends with, and what none depends on has not begun."""
    stages: list[str] = []
    early: list[tuple[StressResult, set[str]]] = []
    result = run(
        [above_mean, hold], permutations=19, progress=lambda stage, *_: stages.append(stage),
        on_verdict=lambda known: early.append((known, set(stages))),
    )  # fmt: skip
    ((known, begun),) = early
    assert "evidence" in begun
    assert "studies" not in begun
    assert parquet(known.metrics) == parquet(result.metrics)
    assert brief(known) == brief(result)
    for before, after in zip(known.strategies, result.strategies, strict=True):
        assert before.verdict == after.verdict
        assert before.edge == after.edge
        assert before.studies.what_if == after.studies.what_if
        assert before.studies.shocks is before.replays is None
        assert after.studies.shocks is not None
        assert after.replays is not None
    assert result.to_dict() == run([above_mean, hold], permutations=19).to_dict()


def test_bars_and_generator_by_their_names(tmp_path: Path) -> None:
    """A file, a frame and bars give one result, and so do a generator and its name."""
    frame = pd.DataFrame(
        BARS.values, columns=["open", "high", "low", "close", "volume", "amount"], index=BARS.timestamps
    )
    frame.rename_axis("date").to_csv(tmp_path / "bars.csv")
    given = {"universes": 20, "horizon": 20, "seed": 1, "studies": sl.Studies(permutations=0, realism_origins=0)}
    own = sl.stress_test(hold, BARS, sl.StationaryBootstrap(), **given).metrics["total_return"]
    for bars in (str(tmp_path / "bars.csv"), tmp_path / "bars.csv", frame):
        found = sl.stress_test(hold, bars, generator="bootstrap", **given)
        np.testing.assert_allclose(found.metrics["total_return"], own, rtol=1e-6)
    with pytest.raises(InputError, match="generator='kronoss' is not known"):
        sl.stress_test(hold, BARS, "kronoss", **given)
