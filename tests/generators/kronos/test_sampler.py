"""The fast sampler against the slow obvious one, and universes against each other."""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.core.errors import InputError
from stresslab.generators.kronos import kv_cache
from stresslab.generators.kronos.calendar_features import stamps
from stresslab.generators.kronos.device import single_threaded
from stresslab.generators.kronos.generator import Kronos
from stresslab.generators.kronos.level_features import Levels
from stresslab.generators.kronos.sampler import TILE, Draws, Forced, Networks, Sampler
from stresslab.generators.kronos.token_sampling import TokenSampling
from stresslab.generators.kronos.tokenizer import KronosTokenizer, TokenizerConfig
from stresslab.generators.kronos.transformer import KronosTransformer, TransformerConfig
from tests.generators.kronos.cases import case
from tests.generators.kronos.reference import Reference
from tests.make.bars import make_bars

CPU = torch.device("cpu")


def fast(reference: Reference, dtype: torch.dtype = torch.float32) -> Sampler:
    """The sampler of the same history."""
    return Sampler(
        Networks(reference.model, reference.tokenizer, dtype),
        reference.features,
        reference.stamps,
        horizon=reference.horizon,
        max_context=reference.max_context,
        choice=reference.choice,
        window=reference.window,
    )


def of_case(name: str, context: int, horizon: int, choice: TokenSampling, window: str) -> Reference:
    """The slow sampler of the first `context` bars of a parity case."""
    parity = case(name)
    history = parity.bars[:context]
    features, _ = Levels().encode(history.values, context)
    marks = np.concatenate([stamps(history.timestamps), stamps(history.calendar.future(history.timestamps, horizon))])
    return Reference(parity.model, parity.tokenizer, features, marks, horizon, parity.max_context, choice, window)


LONG = pytest.mark.parametrize(
    ("name", "context", "horizon", "window"),
    [
        ("within_context", 96, 24, "block"),
        ("rolling_window", 60, 110, "block"),  # the window fills three times over
        ("rolling_window", 64, 40, "block"),  # it is full from the first bar on
        ("rolling_window", 5, 70, "block"),
        ("rolling_window", 5, 260, "block"),  # four windows
        ("rolling_window", 60, 20, "rolling"),
        ("longer_than_context", 100, 12, "rolling"),
    ],
)


@LONG
def test_fast_equals_slow(name: str, context: int, horizon: int, window: str) -> None:
    """The fast sampler draws, token for token, what whole sequences give; so do bars, and the seam.

    A uniform may lie so close to the edge of a token that rounding decides, and what follows in its universe differs;
    of 64 universes that happens to one here and there, and never without that reason.
    """
    slow = of_case(name, context, horizon, TokenSampling(temperature=1.1), window)
    drawn = Draws(3, np.arange(TILE), horizon, CPU)
    with single_threaded(), torch.no_grad():
        sampler, expected = fast(slow), slow.sample(drawn)
        found, _ = sampler._tokens(drawn)
        differ = sum((ours != reference).any(dim=1) for ours, reference in zip(found, expected, strict=True)) > 0
        assert differ.sum() <= 2
        assert slow.unexplained(found, drawn) == 0
        assert len(np.unique(found[0][:, sampler.length :].numpy(), axis=0)) == TILE
        (tile,) = sampler.sample([0], 3)
        np.testing.assert_allclose(tile.features, slow.features_of(found), atol=1e-5)
        if sampler.length + horizon <= sampler.max_context:
            np.testing.assert_allclose(tile.seam, slow.tokenizer.decode(slow.context, half=True)[:, -1], atol=1e-5)


@settings(deadline=None, max_examples=60)
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.booleans()),
    bits=st.tuples(st.integers(2, 6), st.integers(2, 6)),
    sizes=st.tuples(st.integers(2, 30), st.integers(1, 40), st.integers(2, 30)),
    choice=st.builds(
        TokenSampling,
        st.floats(0.3, 3.0),
        st.one_of(st.just(0), st.integers(1, 8)),
        st.one_of(st.just(1.0), st.floats(0.1, 1)),
    ),
    window=st.sampled_from(["block", "rolling"]),
    seed=st.integers(0, 2**32 - 1),
)
@pytest.mark.slow
def test_every_token_is_explained(
    shape: tuple[int, int, int, bool],
    bits: tuple[int, int],
    sizes: tuple[int, int, int],
    choice: TokenSampling,
    window: str,
    seed: int,
) -> None:
    """For any shape, temperature, cut, context, horizon and window each token is what the slow sampler would draw.

    The slow one is given the tokens so far, so that a draw whose uniform lies at the edge of a probability, to
    within rounding, excuses itself alone.
    """
    (layers, heads, quarter, residual), (context, horizon, max_context) = shape, sizes
    width, slow = 8 * heads * quarter, None
    with torch.random.fork_rng(), single_threaded(), torch.no_grad():
        torch.manual_seed(seed)
        s1, s2 = bits
        model = KronosTransformer(
            TransformerConfig(s1, s2, layers, width, heads, 2 * width, coarse_residual=residual)
        ).eval()
        tokenizer = KronosTokenizer(
            TokenizerConfig(
                d_model=8, n_heads=2, ff_dim=16, n_enc_layers=1 + layers, n_dec_layers=layers, s1_bits=s1, s2_bits=s2
            )
        ).eval()
        rng = np.random.default_rng(seed)
        features = rng.normal(size=(context, 6)).astype(np.float32)
        marks = np.stack([rng.integers(0, most, context + horizon) for most in (60, 24, 7, 32, 13)], axis=1)
        slow = Reference(model, tokenizer, features, marks, horizon, max_context, choice, window)
        drawn, sampler = Draws(seed, np.arange(TILE), horizon, CPU), fast(slow)
        tokens, scores = sampler._tokens(drawn, scored=True)
        assert slow.unexplained(tokens, drawn) == 0
        np.testing.assert_allclose(sampler._decode(tokens), slow.features_of(tokens), atol=1e-4)
        step = horizon - 1
        for which, logits in enumerate(slow.logits(tokens, step)):
            expected = logits.log_softmax(dim=-1).gather(1, tokens[which][:, -1:])[:, 0]
            torch.testing.assert_close(scores[:, step, which], expected, atol=1e-4, rtol=1e-4)


def test_without_compiled_parts_the_tokens_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other devices use in place of the compiled functions draws the same tokens."""
    slow = of_case("rolling_window", 60, 40, TokenSampling(), "block")
    drawn = Draws(4, np.arange(TILE), 40, CPU)
    compiled, _ = fast(slow)._tokens(drawn)
    monkeypatch.setattr(kv_cache, "kernels", kv_cache.attention)
    plain, _ = fast(slow)._tokens(drawn)
    assert all(torch.equal(one, other) for one, other in zip(plain, compiled, strict=True))


def test_tiles_computed_together_draw_the_same_tokens() -> None:
    """A GPU's large batches hold the universes that tiles one by one hold, in the order of the tiles."""
    sampler = fast(of_case("within_context", 96, 24, TokenSampling(), "block"))
    together = sampler.sample([5, 0, 2], 9, scored=True)
    for number, tile in zip([5, 0, 2], together, strict=True):
        (alone,) = sampler.sample([number], 9, scored=True)
        np.testing.assert_allclose(tile.features, alone.features, atol=1e-5)
        np.testing.assert_allclose(tile.log_probabilities, alone.log_probabilities, atol=1e-5)


def test_bfloat16_is_nearly_the_same_distribution() -> None:
    """Rounded weights and memories change log-probabilities of the same tokens by hundredths."""
    slow = of_case("within_context", 96, 24, TokenSampling(), "block")
    drawn = Draws(5, np.arange(TILE), 24, CPU)
    rounded = fast(slow, torch.bfloat16)
    tokens, scores = rounded._tokens(drawn, scored=True)
    exact = torch.stack(
        [
            torch.stack(
                [
                    part.log_softmax(-1).gather(1, drawn_[:, 96 + step, None])[:, 0]
                    for part, drawn_ in zip(slow.logits(tokens, step), tokens, strict=True)
                ],
                dim=-1,
            )
            for step in range(24)
        ],
        dim=1,
    )
    difference = scores - exact
    assert 0 < difference.abs().max() < 0.2
    assert difference.mean().abs() < 0.005


WALK, WALK_LONG = make_bars(80), make_bars(150)
KRONOS = Kronos(str(case("rolling_window").folder), context=40)
COUNT, HORIZON = 4 * TILE - 10, 30  # beyond the window, and a last tile that is not full


@pytest.fixture(scope="module")
def whole() -> np.ndarray:
    """All universes of seed 7, with one job."""
    return KRONOS.sample(WALK, HORIZON, COUNT, seed=7).values


@pytest.mark.usefixtures("two_threads")
def test_a_universe_depends_on_seed_and_id_alone(whole: np.ndarray) -> None:
    """Universe i of a seed has the same bytes for any number of universes, any ids in any order, any jobs."""
    for universes in (1, 2, 3, 5, 7, 33, TILE, TILE + 1, 193):
        assert np.array_equal(KRONOS.sample(WALK, HORIZON, universes, seed=7).values, whole[:universes])
    for ids in ([17], [TILE], [COUNT - 1, 3, TILE + 5, 3], list(range(TILE - 2, TILE + 2))):
        part = KRONOS.sample(WALK, HORIZON, COUNT, seed=7, ids=ids)
        assert np.array_equal(part.values, whole[ids])
        assert part.ids.tolist() == ids
    for jobs in (1, 2, 3):
        assert np.array_equal(KRONOS.sample(WALK, HORIZON, COUNT, seed=7, jobs=jobs).values, whole)


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_jobs_do_not_change_a_model_of_full_size(dtype: str) -> None:
    """Products large enough to be split over threads are not: one job or two, in the main thread or not."""
    nano = Kronos(context=100, dtype=dtype)
    alone = nano.sample(WALK_LONG, 8, 130, seed=1).values
    assert np.array_equal(nano.sample(WALK_LONG, 8, 130, seed=1, jobs=2).values, alone)


def test_universes_and_seeds_differ(whole: np.ndarray) -> None:
    """No two universes of a seed are the same, nor the same universe of two seeds."""
    assert len(np.unique(whole.reshape(COUNT, -1), axis=0)) == COUNT
    other = KRONOS.sample(WALK, HORIZON, 5, seed=8).values
    assert not (other == whole[:5]).reshape(5, -1).all(axis=1).any()


def test_a_longer_horizon_goes_on_with_the_same_bars(whole: np.ndarray) -> None:
    """Asking for fewer bars of the same context draws the same tokens, so the bars agree up to float32."""
    within = KRONOS.sample(WALK, 20, 5, seed=7).values  # both decoded within one window
    shorter = KRONOS.sample(WALK, 12, 5, seed=7).values
    np.testing.assert_allclose(shorter, within[:, :12], rtol=1e-4, atol=1.0)


@pytest.mark.usefixtures("two_threads")
def test_threads_are_given_back() -> None:
    """Sampling leaves torch's number of threads as it found it, also when it fails in the middle."""
    KRONOS.sample(WALK, 3, 2)
    assert torch.get_num_threads() == 2

    def fail(_: int) -> None:
        raise InputError("stopped")

    with pytest.raises(InputError, match="stopped"):
        KRONOS.sample(WALK, 3, 2, progress=fail)
    assert torch.get_num_threads() == 2


def test_torchs_generator_is_neither_used_nor_changed(whole: np.ndarray) -> None:
    """Loading and sampling leave torch's and numpy's global random state alone and do not depend on it."""
    for seed in (1, 2):
        torch.manual_seed(seed)
        before, legacy = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002 - it is what is tested
        fresh = Kronos(KRONOS.model, context=40)
        assert np.array_equal(fresh.sample(WALK, HORIZON, 3, seed=7).values, whole[:3])
        assert torch.equal(torch.get_rng_state(), before)
        assert np.array_equal(np.random.get_state()[1], legacy)  # noqa: NPY002 - likewise


def sampled_elsewhere(ids: np.ndarray) -> np.ndarray:
    """Universes sampled in another process."""
    return KRONOS.sample(WALK, HORIZON, COUNT, seed=7, ids=ids.tolist()).values


@pytest.mark.slow
def test_processes_make_the_same_universes(whole: np.ndarray) -> None:
    """A universe has the same bytes in whichever process it is sampled."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        ids = [np.array([3, 70]), np.array([COUNT - 1])]
        for wanted, made in zip(ids, pool.map(sampled_elsewhere, ids), strict=True):
            assert np.array_equal(made, whole[wanted])


def test_a_generator_can_be_sent_to_another_process(whole: np.ndarray) -> None:
    """Also after it has sampled, and what arrives samples the same."""
    KRONOS.sample(WALK, 2, 2)
    arrived = pickle.loads(pickle.dumps(KRONOS))
    assert np.array_equal(arrived.sample(WALK, HORIZON, COUNT, seed=7, ids=[5]).values, whole[[5]])


def test_tiles_in_any_order_are_the_same() -> None:
    """Neither which tile comes first nor what was sampled before changes a tile."""
    sampler = fast(of_case("rolling_window", 60, 20, TokenSampling(top_p=0.9), "block"))
    first = {number: sampler.sample([number], 1)[0].features for number in (2, 0, 1)}
    for number in (0, 1, 2):
        assert np.array_equal(sampler.sample([number], 1)[0].features, first[number])


@pytest.mark.parametrize("settings_", [{}, {"top_p": 0.9}, {"window": "rolling"}, {"dtype": "bfloat16"}])
def test_histories_together_are_as_alone(settings_: dict[str, Any]) -> None:
    """Several origins sampled at once hold the bytes and facts of each alone, with one seed for all or one for each."""
    kronos = KRONOS.adjusted(**settings_)
    histories = [WALK, WALK[:60], make_bars(45, seed=3)]
    for seeds in (5, [5, 6, 7]):
        together = kronos.sample_many(histories, 12, 70, seeds, ids=[69, 3], jobs=2)
        for number, (bars, made) in enumerate(zip(histories, together, strict=True)):
            alone = kronos.sample(bars, 12, 70, seeds if isinstance(seeds, int) else seeds[number], ids=[69, 3])
            assert np.array_equal(made.values, alone.values)
            assert made.facts == alone.facts
            assert made.history is bars
    with pytest.raises(InputError, match="2 seeds for 3 histories"):
        kronos.sample_many(histories, 12, 70, [1, 2])


def test_settings_share_their_uniforms() -> None:
    """Universes of one seed and two settings draw with the same numbers, so that most of their first bars agree."""
    first = {
        temperature: KRONOS.adjusted(temperature=temperature).sample(WALK, 1, 500, seed=3).values
        for temperature in (1.0, 1.05)
    }
    agree = (first[1.0] == first[1.05]).all(axis=(1, 2)).mean()
    other = KRONOS.sample(WALK, 1, 500, seed=4).values
    assert agree > 0.5 > (first[1.0] == other).all(axis=(1, 2)).mean()


def test_log_probabilities_are_the_models_own() -> None:
    """They are those of temperature 1 whatever the setting, and asking for them changes no universe."""
    hot = KRONOS.adjusted(temperature=1.5, top_p=0.9)
    plain, scored = hot.sample(WALK, 8, 70), hot.sample(WALK, 8, 70, log_probabilities=True, ids=[69, 2])
    assert plain.log_probabilities is None
    assert np.array_equal(scored.values, plain.values[[69, 2]])
    assert scored.log_probabilities.shape == (2, 8, 2)
    assert (scored.log_probabilities < 0).all()
    assert np.array_equal(scored.take([1]).log_probabilities, scored.log_probabilities[1:])
    many = KRONOS.sample(WALK, 1, 3000, log_probabilities=True)
    coarse, counts = np.unique(many.log_probabilities[:, 0, 0], return_counts=True)
    np.testing.assert_allclose(counts / 3000, np.exp(coarse), atol=0.04)  # a value is one token, or a few alike


@pytest.mark.parametrize("jobs", [1, 2])
def test_sampling_can_be_cancelled(jobs: int) -> None:
    """What progress raises ends all workers within a bar, not at the end of their tiles."""
    told: list[int] = []

    def stop(count: int) -> None:
        told.append(count)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        KRONOS.sample(WALK, 30, 4 * TILE, jobs=jobs, progress=stop)
    assert len(told) == 1
    assert told[0] <= TILE // 8  # of a tile's thirty bars one or two had been made


def test_progress_is_told_bar_by_bar() -> None:
    """A single tile is not silent until its end, and reaches its number only there."""
    told: list[int] = []
    KRONOS.sample(WALK, 30, TILE, progress=told.append)
    assert sum(told) == TILE
    assert len(told) >= 25
    assert max(told) <= 4


@LONG
def test_forced_tokens_are_read_like_drawn_ones(name: str, context: int, horizon: int, window: str) -> None:
    """With the base case's own tokens forced, the rest is what it was; with others, only what follows them changes."""
    sampler = fast(of_case(name, context, horizon, TokenSampling(), window))
    ids, at, count = np.arange(TILE), horizon // 3, max(1, horizon // 4)
    with torch.inference_mode():
        (coarse, fine), _ = sampler._tokens(Draws(7, ids, horizon, CPU))
        place = slice(sampler.length + at, sampler.length + at + count)
        own, drawn = (coarse[:, place], fine[:, place]), torch.zeros(TILE, count, dtype=torch.bool)
        again, _ = sampler._tokens(Draws(7, ids, horizon, CPU), forced=Forced(at, own, drawn))
        flipped = (own[0] ^ 1, own[1] ^ 1)
        other, _ = sampler._tokens(Draws(7, ids, horizon, CPU), forced=Forced(at, flipped, drawn))
        mixed, _ = sampler._tokens(Draws(7, ids, horizon, CPU), forced=Forced(at, flipped, ~drawn))
    for base, same, changed, all_drawn, put in zip((coarse, fine), again, other, mixed, flipped, strict=True):
        assert torch.equal(base, same)
        assert torch.equal(base, all_drawn)
        assert torch.equal(base[:, : place.start], changed[:, : place.start])
        assert torch.equal(changed[:, place], put)
    assert not torch.equal(coarse[:, place.stop :], other[0][:, place.stop :])
