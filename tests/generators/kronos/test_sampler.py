"""The cached sampler against the slow obvious one, draws against their distribution, universes against each other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.errors import InputError
from stresslab.generators.kronos.generator import Kronos
from stresslab.generators.kronos.representation import Levels
from stresslab.generators.kronos.sampler import DRAWS, TILE, Choice, Sampler, single_threaded
from stresslab.generators.kronos.stamps import stamps
from stresslab.randomness import uniforms
from tests.generators.kronos.cases import Case, case
from tests.market import make_bars

Tokens = tuple[torch.Tensor, torch.Tensor]
EDGE = 2.0**-33  # the outermost uniforms that `stresslab.randomness` makes


def make_sampler(parity: Case, context: int, horizon: int, choice: Choice, window: str) -> Sampler:
    """A sampler of the first `context` bars of a parity case."""
    history = parity.bars[:context]
    features, _ = Levels().encode(history.values, context)
    future = history.calendar.future(history.timestamps, horizon)
    return Sampler(
        parity.model,
        parity.tokenizer,
        features,
        np.concatenate([stamps(history.timestamps), stamps(future)]),
        horizon=horizon,
        max_context=parity.max_context,
        choice=choice,
        window=window,
    )


def slow_tokens(sampler: Sampler, u: torch.Tensor, window: str) -> Tokens:
    """Sample tokens (N, L + H) with uniforms (N, H, 2), computing the whole window anew for every bar."""
    model, most = sampler.model, sampler.max_context
    coarse, fine = (tokens.expand(len(u), -1) for tokens in sampler.context)
    start = 0
    for step in range(sampler.horizon):
        now = coarse.shape[1]
        if now - start > most:
            start = now - (most if window == "rolling" else most // 2)
        marks = sampler.stamps[None, start:now].expand(len(u), -1, -1)
        logits, hidden = model.decode_s1(coarse[:, start:], fine[:, start:], marks)
        drawn = sampler.choice.draw(logits[:, -1], u[:, step, 0])
        given_it = sampler.choice.draw(model.decode_s2(hidden, drawn), u[:, step, 1])
        coarse, fine = torch.cat([coarse, drawn[:, None]], dim=1), torch.cat([fine, given_it[:, None]], dim=1)
    return coarse, fine


def slow_features(sampler: Sampler, tokens: Tokens) -> np.ndarray:
    """Decode half a window of bars at a time, each time from the tokens of a whole window."""
    length, most = sampler.length, sampler.max_context
    total, pieces = length + sampler.horizon, []
    for end in range(total, length, -(most // 2)):
        start, first = max(0, end - most), max(length, end - most // 2)
        decoded = sampler.tokenizer.decode((tokens[0][:, start:end], tokens[1][:, start:end]), half=True)
        pieces.append(decoded[:, first - start :])
    return torch.cat(pieces[::-1], dim=1).numpy()


@pytest.mark.parametrize(
    ("name", "context", "horizon", "window"),
    [
        ("within_context", 96, 24, "block"),
        ("rolling_window", 60, 110, "block"),  # the window fills three times over
        ("rolling_window", 64, 40, "block"),  # it is full from the first bar on
        ("rolling_window", 5, 70, "block"),
        ("rolling_window", 60, 20, "rolling"),
        ("longer_than_context", 100, 12, "rolling"),
    ],
)
def test_cached_equals_uncached(name: str, context: int, horizon: int, window: str) -> None:
    """With caches and a shared history the sampler draws, token for token, what whole sequences give; so do bars."""
    with single_threaded(), torch.no_grad():
        sampler = make_sampler(case(name), context, horizon, Choice(temperature=1.1), window)
        u = torch.from_numpy(uniforms(3, np.arange(TILE), horizon, DRAWS))
        slow = slow_tokens(sampler, u, window)
        fast = sampler._tokens(u)
        for ours, reference in zip(fast, slow, strict=True):
            np.testing.assert_array_equal(ours, reference)
        assert len(np.unique(fast[0][:, sampler.length :].numpy(), axis=0)) == TILE
        features, seam = sampler.tile(0, 3)
        np.testing.assert_allclose(features, slow_features(sampler, slow), atol=1e-5)
        if sampler.length + horizon <= sampler.max_context:
            np.testing.assert_allclose(seam, sampler.tokenizer.decode(sampler.context, half=True)[:, -1], atol=1e-5)


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.integers(2, 40),
    temperature=st.floats(0.2, 3.0),
    top_k=st.integers(0, 40),
    top_p=st.floats(0.05, 1.0),
)
def test_draws_invert_the_distribution(seed: int, size: int, temperature: float, top_k: int, top_p: float) -> None:
    """On a grid of n uniforms every token comes up n times its probability, give or take one, in rising order."""
    logits = torch.from_numpy(np.random.default_rng(seed).normal(scale=2.0, size=(1, size)).astype(np.float32))
    choice, count = Choice(temperature, top_k, top_p), 1000
    u = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    drawn = choice.draw(logits.expand(count, -1), u)
    assert (drawn.diff() >= 0).all()
    expected = choice.probabilities(logits)[0]
    assert (torch.bincount(drawn, minlength=size) - count * expected).abs().max() <= 1.001


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(2, 1024), top_k=st.integers(1, 5))
def test_impossible_tokens_are_never_drawn(seed: int, size: int, top_k: int) -> None:
    """A token of zero probability is not drawn, not even by the outermost uniforms, nor when it is first or last."""
    rng = np.random.default_rng(seed)
    logits = torch.from_numpy(rng.normal(scale=5.0, size=(1, size)).astype(np.float32))
    logits[0, [0, -1]] = -torch.inf if size > 2 else 0.0
    u = torch.tensor([EDGE, 1 - EDGE, 0.5, *rng.uniform(size=20)], dtype=torch.float64)
    for choice in (Choice(), Choice(top_k=top_k), Choice(top_p=0.3), Choice(temperature=0.01)):
        drawn = choice.draw(logits.expand(len(u), -1), u)
        assert (choice.probabilities(logits)[0, drawn] > 0).all()


def test_the_likeliest_token_is_always_kept() -> None:
    """The smallest nucleus holds one token, the likeliest; it is also what top_k=1 leaves."""
    logits = torch.randn(50, 64, generator=torch.Generator().manual_seed(0))
    for choice in (Choice(top_k=1), Choice(top_p=1e-9)):
        probabilities = choice.probabilities(logits)
        assert torch.equal(probabilities.argmax(dim=-1), logits.argmax(dim=-1))
        assert ((probabilities > 0).sum(dim=-1) == 1).all()


@pytest.fixture
def two_threads() -> Iterator[None]:
    """Torch on two threads, and afterwards on as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


WALK = make_bars(80)
KRONOS = Kronos(str(case("rolling_window").folder), context=40)
COUNT, HORIZON = 3 * TILE - 10, 30  # beyond the window, and a last tile that is not full


@pytest.fixture(scope="module")
def whole() -> np.ndarray:
    """All universes of seed 7, with one job."""
    return KRONOS.sample(WALK, HORIZON, COUNT, seed=7).values


@pytest.mark.usefixtures("two_threads")
def test_a_universe_depends_on_seed_and_id_alone(whole: np.ndarray) -> None:
    """Universe i of a seed has the same bytes for any number of universes, any ids in any order, any jobs."""
    for universes in (1, TILE, TILE + 1):
        assert np.array_equal(KRONOS.sample(WALK, HORIZON, universes, seed=7).values, whole[:universes])
    for ids in ([TILE], [COUNT - 1, 3, TILE + 5, 3], list(range(TILE - 2, TILE + 2))):
        part = KRONOS.sample(WALK, HORIZON, COUNT, seed=7, ids=ids)
        assert np.array_equal(part.values, whole[ids])
        assert part.ids.tolist() == ids
    for jobs in (1, 2):
        assert np.array_equal(KRONOS.sample(WALK, HORIZON, COUNT, seed=7, jobs=jobs).values, whole)


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
