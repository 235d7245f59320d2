"""Filtered historical simulation: valid bars, addressed universes, arch's fit, volatility that starts where it is."""

import numpy as np
import pandas as pd
import pytest

from stresslab.core.errors import DataError, InputError
from stresslab.core.randomness import uniforms
from stresslab.data.bars import Bars
from stresslab.data.universes import Universes
from stresslab.generators import garch
from stresslab.generators.bar_shapes import Shapes
from stresslab.generators.garch import Filter, Garch, Parameters, fit, settling
from tests.make.universes import assert_valid

TRUE = Parameters(mean=0.05, omega=0.04, alpha=0.04, gamma=0.1, beta=0.87, degrees_of_freedom=6.0)


def simulated(count: int, seed: int, parameters: Parameters = TRUE) -> np.ndarray:
    """Log returns of a GJR-GARCH(1,1) with t innovations."""
    rng = np.random.default_rng(seed)
    nu = parameters.degrees_of_freedom
    z = rng.standard_t(nu, count) * np.sqrt((nu - 2) / nu)
    variance, returns = 1.0, np.empty(count)
    for t in range(count):
        shock = np.sqrt(variance) * z[t]
        returns[t] = parameters.mean + shock
        leverage = parameters.gamma if shock < 0 else 0.0
        variance = parameters.omega + (parameters.alpha + leverage) * shock**2 + parameters.beta * variance
    return returns / 100


def bars_of(returns: np.ndarray, seed: int = 0) -> Bars:
    """Daily bars with these log returns from close to close."""
    rng = np.random.default_rng(seed)
    close = 50 * np.exp(np.concatenate([[0.0], np.cumsum(returns)]))
    opened = np.concatenate([[50.0], close[:-1]]) * np.exp(0.2 * np.concatenate([[0.0], returns]))
    frame = pd.DataFrame(
        {
            "open": opened,
            "high": np.maximum(opened, close) * (1 + rng.exponential(0.002, len(close))),
            "low": np.minimum(opened, close) * (1 - rng.exponential(0.002, len(close))),
            "close": close,
            "volume": rng.lognormal(10, 0.5, len(close)),
        },
        index=pd.bdate_range("2001-01-01", periods=len(close)),
    )
    return Bars.from_frame(frame)


RETURNS = simulated(2000, seed=1)
BARS = bars_of(RETURNS)


def log_returns(values: np.ndarray, last: float) -> np.ndarray:
    """Log returns (N, T) from close to close of universes."""
    close = values[:, :, 3].astype(float)
    return np.diff(np.log(np.concatenate([np.full((len(close), 1), last), close], axis=1)), axis=1)


def test_universe_depends_on_seed_and_id_alone():
    """Universe i of seed s has the same bytes whatever ids, jobs or number of universes are asked for."""
    whole = Garch().sample(BARS, 30, 1100, seed=7)
    for ids in ([0], [1099, 3, 700], range(497, 504)):
        part = Garch().sample(BARS, 30, 1100, seed=7, ids=list(ids))
        assert np.array_equal(part.values, whole.values[list(ids)])
    assert np.array_equal(Garch().sample(BARS, 30, 1100, seed=7, jobs=3).values, whole.values)
    assert not np.array_equal(Garch().sample(BARS, 30, 1100, seed=8).values, whole.values)


@pytest.mark.parametrize("seed", range(5))
def test_bars_are_always_valid(seed):
    """Every bar is possible: positive prices, high and low outside open and close, volume as drawn."""
    universes = Garch().sample(bars_of(simulated(400, seed), seed), 250, 100, seed)
    opened, high, low, close, volume, amount = np.moveaxis(universes.values, -1, 0)
    assert np.all(np.isfinite(universes.values))
    assert np.all(low > 0)
    assert np.all((high >= np.maximum(opened, close)) & (low <= np.minimum(opened, close)))
    assert np.all((volume > 0) & (amount > 0))
    assert universes.facts["repaired_bars"] == 0


def test_fit_is_archs():
    """Parameters, volatility and residuals are those of arch's GJR-GARCH(1,1) with t innovations."""
    from arch import arch_model

    percent = 100 * RETURNS
    model = arch_model(percent, mean="Constant", vol="GARCH", p=1, o=1, q=1, dist="t", rescale=False)
    other = model.fit(disp="off")
    ours = fit(RETURNS)
    assert 100 * ours.volatility == pytest.approx(other.conditional_volatility, rel=0.02)
    assert ours.residuals == pytest.approx(other.std_resid, rel=0.02, abs=0.02)
    shares = [ours.parameters.alpha, ours.parameters.gamma, ours.parameters.beta, ours.parameters.degrees_of_freedom]
    assert shares == pytest.approx(list(other.params[["alpha[1]", "gamma[1]", "beta[1]", "nu"]]), rel=0.05, abs=0.01)
    assert ours.mean == pytest.approx(other.params["mu"] / 100, abs=1e-5)


def test_fit_does_not_depend_on_the_unit():
    """Returns a hundred times smaller give the same dynamics."""
    small, large = fit(RETURNS / 100), fit(RETURNS)
    assert small.residuals == pytest.approx(
        large.residuals, rel=1e-5, abs=1e-5
    )  # how far the optimiser goes differs by machine
    assert small.parameters.beta == pytest.approx(large.parameters.beta, rel=1e-5)


def test_fit_recovers_the_true_process():
    """On 8,000 simulated bars persistence, leverage and tails are found again."""
    found = fit(simulated(8000, seed=3)).parameters
    assert found.alpha + found.gamma / 2 + found.beta == pytest.approx(0.96, abs=0.02)
    assert found.gamma == pytest.approx(TRUE.gamma, abs=0.04)
    assert found.degrees_of_freedom == pytest.approx(TRUE.degrees_of_freedom, abs=1.5)


def test_filter_continues_the_history():
    """Fed with the history's own residuals the recursion reproduces the fitted volatilities: the slow loop agrees."""
    whole = fit(RETURNS)
    part = Filter(whole.parameters, whole.unit, whole.volatility[:1000], whole.residuals[:1000])
    positions = np.arange(1000)[None, :50]
    path = part.volatility_path(positions)[0]
    p, variance = whole.parameters, (whole.volatility[999] * whole.unit) ** 2
    shock = whole.residuals[999] * np.sqrt(variance)
    for step in range(50):
        variance = p.omega + (p.alpha + (p.gamma if shock < 0 else 0)) * shock**2 + p.beta * variance
        assert path[step] * whole.unit == pytest.approx(np.sqrt(variance))
        shock = whole.residuals[step] * np.sqrt(variance)
    assert path[0] == pytest.approx(whole.volatility[1000])


def test_moments_match_the_source():
    """Over long universes mean and deviation of returns are the history's within error."""
    values = Garch().sample(BARS, 500, 300, seed=2).values
    generated = log_returns(values, BARS.values[-1, 3])
    assert abs(generated.mean() - RETURNS.mean()) < 4 * generated.std() / np.sqrt(generated.size)
    assert generated.std() == pytest.approx(RETURNS.std(), rel=0.15)
    size = np.abs(generated)
    assert np.corrcoef(size[:, 1:].ravel(), size[:, :-1].ravel())[0, 1] > 0.05


def test_volatility_starts_where_the_history_ends():
    """The first generated bars are as volatile as the filter says of tomorrow, calm or stormy."""
    storm = RETURNS.copy()
    storm[-10:] *= 4
    for returns in (RETURNS, storm):
        bars = bars_of(returns)
        filtered = fit(Shapes.of(bars).returns)
        first = log_returns(Garch().sample(bars, 1, 4000).values, bars.values[-1, 3])[:, 0]
        tomorrow = filtered.volatility_path(np.zeros((1, 1), dtype=np.int64))[0, 0]
        assert first.std() == pytest.approx(tomorrow * filtered.residuals.std(), rel=0.06)


def test_shape_is_scaled_with_the_days_shock():
    """Each generated bar is a real bar stretched and shifted: open, high, low and close by one factor and one step."""
    universes = Garch().sample(BARS, 1, 40, seed=9)
    shapes, filtered = Shapes.of(BARS), fit(RETURNS)
    positions = (uniforms(9, range(40), 1, 1)[:, 0, 0] * len(shapes)).astype(int)
    tomorrow = filtered.volatility_path(positions[:, None])[:, 0]
    logs = np.log(universes.values[:, 0, :4].astype(float) / BARS.values[-1, 3])
    stretched = logs[:, 1:] - logs[:, :1]
    real = shapes.prices[positions, 1:] - shapes.prices[positions, :1]
    assert stretched == pytest.approx(real * (tomorrow / filtered.volatility[positions])[:, None], abs=1e-6)
    assert universes.values[:, 0, 4] == pytest.approx(shapes.level * shapes.volume[positions], rel=1e-6)


def test_drift_is_the_historys_whatever_the_volatility():
    """Skewed returns drift as they did, calm or stormy: the mean of log returns is the history's at every step."""
    skewed = RETURNS - 0.004 * (np.random.default_rng(8).uniform(size=len(RETURNS)) < 0.05)
    stormy = np.concatenate([skewed, 5 * skewed[-10:]])
    for returns in (skewed, stormy):
        bars = bars_of(returns)
        generated = log_returns(Garch().sample(bars, 20, 20_000, seed=4).values, bars.values[-1, 3])
        assert np.all(np.abs(generated.mean(axis=0) - returns.mean()) < 4.5 * generated.std(axis=0) / np.sqrt(20_000))


def test_persistence_of_one_is_allowed_but_not_an_explosion():
    """A fit whose variance grows on average is used; one whose log variance grows is refused in one line."""
    residuals = np.concatenate([np.full(99, 0.1), [-8.0]])
    heavy = Filter(Parameters(0, 0.1, 0.1, 0.6, 0.7, 4), 1.0, np.ones(100), residuals)
    assert heavy.describe()["persistence"] > 1
    assert heavy.describe()["log_growth"] < 0
    assert settling(heavy) is heavy
    explosive = Filter(Parameters(0, 0.1, 0.1, 0.6, 1.05, 4), 1.0, np.ones(100), residuals)
    with pytest.raises(DataError, match="explodes") as error:
        settling(explosive)
    assert "\n" not in str(error.value)


def test_an_explosive_path_stays_a_number():
    """Volatility is bounded, so that a long universe of an almost explosive fit has finite prices."""
    wild = Filter(Parameters(0, 0.1, 0.1, 0.6, 1.5, 4), 1.0, np.ones(100), np.full(100, -2.0))
    path = wild.volatility_path(np.zeros((2, 5000), dtype=np.int64))
    assert np.all(np.isfinite(path))
    bars, held = Shapes.of(BARS).assemble(np.full((1, 300, 4), 1.0), np.zeros((1, 300), dtype=np.int64))
    assert np.all(np.isfinite(bars))
    assert held == 250


def test_too_little_history_is_refused():
    """Fewer than 250 bars, and a context as short, are refused with the reason."""
    with pytest.raises(DataError, match="100 bars are too few for the garch generator, which needs 250"):
        Garch().sample(BARS[:100], 5, 5)
    with pytest.raises(InputError, match="context=100"):
        Garch(context=100)


def test_a_failed_fit_is_one_line():
    """Returns that no GARCH can be fitted to are refused in one line that says what to do."""
    returns = np.random.default_rng(0).normal(0, 0.01, 400)
    returns[200] = np.nan
    with pytest.raises(DataError, match="use `generator=bootstrap`") as error:
        fit(returns)
    assert "\n" not in str(error.value)


def test_describe_and_facts_are_plain():
    """The description holds the settings, the facts the fit."""
    assert Garch(300).describe() == {"name": "garch", "context": 300, "dependence": "empirical"}
    facts = Garch().sample(BARS, 2, 2).facts
    assert set(facts) == {"generator", "fit", "bars_seen", "repaired_bars"}
    assert 0.9 < facts["fit"]["persistence"] < 1.05


def falling(universes: Universes, at: int, count: int, size: float = 0.9) -> np.ndarray:
    """The base's own bars from `at` on, at other prices."""
    bars = np.array(universes.values[:, at : at + count], dtype=np.float64)
    bars[:, :, :4] *= size
    return bars


def test_variance_after_a_shock_is_the_recursion_by_hand():
    """Known returns enter the GJR recursion in place of residuals: equal to 1e-9 to a loop over its formula."""
    filtered = fit(RETURNS)
    p, unit = filtered.parameters, filtered.unit
    sources = np.random.default_rng(0).integers(0, len(RETURNS), (4, 12))
    known = np.array([[-0.09, 0.02], [0.06, -0.01], [0.0, 0.0], [-0.2, -0.2]])
    path = filtered.volatility_path(sources, 5, known)
    for row in range(4):
        shock, variance = unit * RETURNS[-1] - p.mean, (unit * filtered.volatility[-1]) ** 2
        for step in range(12):
            variance = p.omega + (p.alpha + p.gamma * (shock < 0)) * shock**2 + p.beta * variance
            assert unit * path[row, step] == pytest.approx(np.sqrt(variance), rel=1e-9)
            if 5 <= step < 7:
                shock = unit * known[row, step - 5] + filtered.residuals.mean() * np.sqrt(variance)
            else:
                shock = np.sqrt(variance) * filtered.residuals[sources[row, step]]


def test_universes_go_on_after_a_shock_at_the_volatility_that_follows():
    """Bars before stay, inserted ones stand as given, and each later return has the scale of the recursion."""
    base = Garch().sample(BARS, 30, 600, seed=7)
    bars = falling(base, 10, 2)
    shocked = Garch().continued(base, 10, bars, seed=7)
    assert np.array_equal(shocked.values[:, :10], base.values[:, :10])
    assert np.array_equal(shocked.values[:, 10:12], bars.astype(np.float32))
    assert_valid(shocked.values)
    filtered, shapes = fit(Shapes.of(BARS).returns), Shapes.of(BARS)
    u = uniforms(7, range(600), 30, 1)[:, :, 0]
    sources = (u * len(shapes)).astype(int)
    closes = np.concatenate([base.values[:, 9:10, 3].astype(float), bars[:, :, 3]], axis=1)
    volatility = filtered.volatility_path(sources, 10, np.diff(np.log(closes), axis=1) - shapes.returns.mean())
    scale = volatility / filtered.volatility[sources]
    expected = (
        shapes.returns.mean() - volatility * filtered.residuals.mean() + scale * (RETURNS[sources] - filtered.mean)
    )
    found = log_returns(shocked.values, BARS.values[-1, 3])
    np.testing.assert_allclose(found[:, 12:], expected[:, 12:], atol=1e-6)
    assert found[:, 12:].std() > 1.2 * log_returns(base.values, BARS.values[-1, 3])[:, 12:].std()


def test_without_a_shock_nothing_changes():
    """With its own bars inserted, a universe is what it was, up to rounding; also where they are its first or last."""
    base = Garch().sample(BARS, 20, 50, seed=3)
    for at, count in ((0, 3), (7, 1), (15, 5)):
        again = Garch().continued(base, at, base.values[:, at : at + count], seed=3)
        np.testing.assert_allclose(again.values, base.values, rtol=2e-6)


def test_a_shocked_universe_depends_on_itself_alone():
    """A selection of universes goes on as all of them do, whatever the number of jobs."""
    base = Garch().sample(BARS, 20, 700, seed=3)
    bars, some = falling(base, 4, 1), [650, 3, 501]
    whole = Garch().continued(base, 4, bars, seed=3, jobs=2)
    part = Garch().continued(base.take(some), 4, bars[some], seed=3)
    assert np.array_equal(part.values, whole.values[some])
    assert whole.facts["inserted"] == {"at": 4, "bars": 1}


def test_of_long_histories_the_last_returns_decide(monkeypatch):
    """Parameters are those of the last returns, volatility goes through all of them."""
    returns = np.random.default_rng(3).standard_t(5, 1200) * 0.01
    last = fit(returns[-600:])
    monkeypatch.setattr(garch, "FITTED", 600)
    found = fit(returns)
    assert len(found.residuals) == 1200
    assert found.parameters.beta == pytest.approx(last.parameters.beta, abs=0.02)
    assert found.parameters.beta == fit(returns).parameters.beta
    assert found.volatility[-1] == pytest.approx(last.volatility[-1], rel=0.02)
