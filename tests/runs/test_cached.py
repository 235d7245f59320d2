from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stresslab as sl
from stresslab.core.cache import SUFFIX, Cache
from stresslab.data.market_index import IndexBars
from stresslab.generators.kronos.generator import Kronos
from stresslab.realism.diagnostics import Adjustable, RoundTrips
from stresslab.runs import cached as module
from stresslab.runs.cached import cached, realism_from
from stresslab.runs.folder import save_run
from stresslab.runs.plan import Compute, Studies
from tests.make.bars import make_bars

BARS = make_bars(300, start="2014-10-27")
"""They end a few bars before Christmas."""
BOOTSTRAP = sl.StationaryBootstrap()
RULE = "def signals(bars, window=20):\n    up = bars.close > bars.close.rolling(window).mean()\n    return up, ~up\n"


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """An empty cache."""
    return Cache(tmp_path / "cache")


def kept(cache: Cache) -> set[str]:
    """The names of its entries."""
    return {path.name for path in cache.folder.glob(f"*{SUFFIX}")}


@pytest.mark.parametrize("generator", [sl.StationaryBootstrap(), sl.Garch(), sl.Kronos(context=40)])
def test_cached_and_fresh_runs_give_the_same_bytes(generator: Any, cache: Cache, tmp_path: Path) -> None:
    """Without the cache, filling it, and from it: `metrics.parquet` and `result.json` are the same byte for byte."""
    strategy = tmp_path / "rule.py"
    strategy.write_text(RULE)
    bars = BARS

    def run(name: str, use: bool | Cache) -> tuple[bytes, ...]:
        result = sl.stress_test(
            str(strategy), bars, generator, universes=12, horizon=8, seed=3,
            studies=Studies(realism_origins=2, permutations=9), compute=Compute(jobs=1, cache=use),
        )  # fmt: skip
        saved = save_run(replace(result, timings={}), tmp_path / name)
        return (saved / "metrics.parquet").read_bytes(), (saved / "result.json").read_bytes()

    fresh, filling = run("fresh", False), run("filling", cache)
    assert cache.hits == 0
    count = cache.misses
    again = run("again", cache)
    assert cache.hits > 0
    assert cache.misses == count
    assert fresh[0] == filling[0] == again[0]
    assert filling[1] == again[1] == fresh[1]


def test_an_assessment_is_found_as_it_was(cache: Cache) -> None:
    """Label, checks, tables and the origins themselves are the same to the last bit; another question is another."""
    bars, generator = make_bars(400), cached(sl.StationaryBootstrap(), cache)
    made = realism_from(bars, generator, 10, 3, 1, jobs=1)
    misses = cache.misses
    found = realism_from(bars, generator, 10, 3, 1, jobs=1)
    assert (cache.hits, cache.misses) == (1, misses)
    assert json.dumps(found.to_dict(), default=repr) == json.dumps(made.to_dict(), default=repr)
    assert repr(found.checks) == repr(made.checks)
    assert str(found) == str(made)
    for one, other in zip(found.sampled, made.sampled, strict=True):
        assert one.at == other.at
        assert one.paths.tobytes() == other.paths.tobytes()
        assert one.real.tobytes() == other.real.tobytes()
        assert repr(one) == repr(other)
    for question in ((bars[:-1], 10, 3, 1), (bars, 9, 3, 1), (bars, 10, 2, 1), (bars, 10, 3, 2)):
        before = {path.name for path in cache.folder.glob("realism-*")}
        realism_from(question[0], generator, *question[1:], jobs=1)
        assert len(before) < len(list(cache.folder.glob("realism-*")))
    plain = realism_from(bars, sl.StationaryBootstrap(), 10, 3, 1, jobs=1)
    assert repr(plain.checks) == repr(made.checks)


def test_a_damaged_entry_is_made_again(cache: Cache) -> None:
    """What was torn off gives the same universes, and a whole entry in its place."""
    generator, bars = cached(sl.StationaryBootstrap(), cache), BARS
    first = generator.sample(bars, 6, 5, 1)
    (path,) = cache.folder.glob(f"*{SUFFIX}")
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    assert generator.sample(bars, 6, 5, 1).values.tobytes() == first.values.tobytes()
    assert path.read_bytes() == whole


@dataclass(frozen=True)
class Sampling:
    """The arguments of one sampling."""

    generator: Any = BOOTSTRAP
    bars: sl.Bars = BARS
    horizon: int = 6
    universes: int = 5
    seed: int = 1

    def of(self, cache: Cache) -> Any:
        """Universes by the cache."""
        return cached(self.generator, cache).sample(self.bars, self.horizon, self.universes, self.seed)


OTHERS = {
    "seed": Sampling(seed=2),
    "horizon": Sampling(horizon=7),
    "universes": Sampling(universes=6),
    "a setting of the generator": Sampling(sl.StationaryBootstrap(block=3)),
    "another generator": Sampling(sl.Garch()),
    "one bar fewer": Sampling(bars=BARS[:-1]),
    "one value": Sampling(bars=replace(BARS, values=BARS.values * 1.0000001)),
    "holidays": Sampling(bars=replace(BARS, exchange="XNYS")),
}


@pytest.mark.parametrize("name", OTHERS)
def test_any_change_of_what_is_sampled_misses(name: str, cache: Cache) -> None:
    """Bars, calendar, horizon, number, seed, generator and its settings are in the key."""
    Sampling().of(cache)
    Sampling().of(cache)
    assert (cache.hits, cache.misses) == (1, 1)
    other = OTHERS[name]
    made = other.of(cache)
    assert (cache.hits, cache.misses) == (1, 2)
    assert other.of(cache).values.tobytes() == made.values.tobytes()


@pytest.fixture
def forgotten() -> Iterator[None]:
    """Code and machine are looked at again, before and after."""
    module.code_and_machine.cache_clear()
    yield
    module.code_and_machine.cache_clear()


@pytest.mark.parametrize(
    "change",
    [
        lambda patch: patch.setattr(module, "sources_digest", lambda *parts: "other code"),
        lambda patch: patch.setattr(module, "environment", lambda: _machine(processor="another")),
        lambda patch: patch.setattr(module, "environment", lambda: _machine(python="9.9")),
        *(
            lambda patch, name=name: patch.setattr(module, "environment", lambda: _machine(versions={name: "0"}))
            for name in module.DECIDING
        ),
    ],
)
def test_other_code_or_another_machine_misses(
    change: Callable[[pytest.MonkeyPatch], None], cache: Cache, monkeypatch: pytest.MonkeyPatch, forgotten: None
) -> None:
    """The sources of the packages used, the libraries' versions, Python and the processor are in the key."""
    Sampling().of(cache)
    change(monkeypatch)
    module.code_and_machine.cache_clear()
    Sampling().of(cache)
    assert (cache.hits, cache.misses) == (0, 2)


environment = module.environment


def _machine(versions: dict[str, str] | None = None, **other: str) -> dict[str, Any]:
    about = environment()
    return about | other | {"versions": about["versions"] | (versions or {})}


def test_other_weights_of_the_same_name_miss(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint is known by the hash of its weights, not by its name."""
    bars = make_bars(120)
    cached(Kronos(context=40), cache).sample(bars, 2, 2, 1)
    described = Kronos.describe
    monkeypatch.setattr(Kronos, "describe", lambda self: described(self) | {"hashes": {"model": "0" * 64}})
    cached(Kronos(context=40), cache).sample(bars, 2, 2, 1)
    assert (cache.hits, cache.misses) == (0, 2)


def test_a_market_and_its_index_share_what_was_sampled(cache: Cache) -> None:
    """Joint universes come back as those of the market, or as those of its index, whoever sampled them first."""
    market = sl.Market((BARS, replace(make_bars(300, seed=5, start="2014-10-27"), symbol="other")))
    index = IndexBars.of(market)
    plain = sl.StationaryBootstrap()
    generator = cached(plain, cache)
    for _ in range(2):
        joint, single = generator.sample(market, 6, 4, 1), generator.sample(index, 6, 4, 1)  # type: ignore[arg-type]
        assert joint.values.tobytes() == plain.sample(market, 6, 4, 1).values.tobytes()  # type: ignore[call-overload]
        assert single.values.tobytes() == plain.sample(index, 6, 4, 1).values.tobytes()
        assert single.payload.tobytes() == joint.values.tobytes()
    assert (cache.hits, cache.misses) == (3, 1)


def test_a_generator_of_ones_own_is_not_cached(cache: Cache) -> None:
    """Nothing says whether its code is still the same."""

    class Own(sl.StationaryBootstrap):
        pass

    own = Own()
    assert cached(own, cache) is own


def test_it_is_the_same_generator_in_all_else(cache: Cache, tmp_path: Path) -> None:
    """It has the settings, weights and abilities of the generator, and travels to other processes as it."""
    plain = Kronos(context=40)
    generator: Any = cached(plain, cache)
    assert isinstance(generator, Kronos)
    assert isinstance(generator, Adjustable)
    assert isinstance(generator, RoundTrips)
    assert not isinstance(cached(sl.StationaryBootstrap(), cache), RoundTrips)
    assert generator.describe() == plain.describe()
    assert generator.checkpoint is plain.checkpoint
    assert generator.adjusted(temperature=0.9).cache is cache
    assert generator.adjusted(temperature=0.9).checkpoint is plain.checkpoint
    assert type(pickle.loads(pickle.dumps(generator))) is Kronos
    bars = make_bars(120)
    assert generator.round_trip(bars) == generator.round_trip(bars) == plain.round_trip(bars)


def test_only_some_ids_in_any_order(cache: Cache) -> None:
    """Universes are found in the order in which they were asked for."""
    plain, bars = sl.StationaryBootstrap(), BARS
    generator = cached(plain, cache)
    for ids in ([3, 1], [1, 3], [3, 1]):
        found = generator.sample(bars, 6, 5, 1, ids=ids)
        assert found.ids.tolist() == ids
        assert np.array_equal(found.values, plain.sample(bars, 6, 5, 1, ids=ids).values)
    assert (cache.hits, cache.misses) == (1, 2)
