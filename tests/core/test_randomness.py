"""The stream of uniforms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import stresslab
from stresslab.core.errors import InputError
from stresslab.core.randomness import Stream, derive, numpy_generator, philox, uniforms

FULL = 0xFFFFFFFF


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((FULL, FULL, FULL, FULL), (FULL, FULL), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_known_answers(counter: tuple[int, ...], key: tuple[int, int], words: tuple[int, ...]) -> None:
    """Philox4x32-10 gives the words of the Random123 distribution's known-answer file."""
    found = philox([np.uint64(word) for word in counter], key)
    assert tuple(int(word) for word in found) == words


@given(
    seed=st.integers(0, 2**64 - 1),
    ids=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=5, unique=True),
    steps=st.integers(1, 5),
    draws=st.integers(1, 9),
    cut=st.integers(0, 5),
)
def test_a_number_depends_on_its_address_alone(seed: int, ids: list[int], steps: int, draws: int, cut: int) -> None:
    """A universe's numbers are the same alone, in another order, and in steps asked for in two parts."""
    together = uniforms(seed, ids, steps, draws)
    cut = min(cut, steps)
    parts = [uniforms(seed, ids, cut, draws), uniforms(seed, ids, steps - cut, draws, first_step=cut)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), together)
    for position, universe in enumerate(ids):
        np.testing.assert_array_equal(uniforms(seed, [universe], steps, draws)[0], together[position])
    assert together.shape == (len(ids), steps, draws)
    assert ((together > 0) & (together < 1)).all()


def test_seeds_and_streams_differ() -> None:
    """Another seed, its upper half included, or another stream gives other numbers."""
    numbers = [
        uniforms(seed, [3], 1, 1, stream=stream)[0, 0, 0]
        for seed, stream in [(1, Stream.SAMPLER), (2, Stream.SAMPLER), (1 + 2**32, Stream.SAMPLER), (1, Stream.EDGE)]
    ]
    assert len(set(numbers)) == 4


def test_numbers_are_uniform_and_uncorrelated() -> None:
    """100,000 numbers pass a Kolmogorov-Smirnov test, and neighbours along every axis are uncorrelated."""
    numbers = uniforms(7, np.arange(100), 250, 4)
    assert stats.kstest(numbers.ravel(), "uniform").pvalue > 0.001
    for axis in range(3):
        first = np.take(numbers, range(numbers.shape[axis] - 1), axis).ravel()
        second = np.take(numbers, range(1, numbers.shape[axis]), axis).ravel()
        assert abs(np.corrcoef(first, second)[0, 1]) < 0.015


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, "7", True])
def test_a_wrong_seed_is_refused(seed: object) -> None:
    """A seed that is no whole number in range is named with the rule and a remedy."""
    with pytest.raises(InputError, match=r"seed=.* is not a whole number in \[0, 2\^64\); give"):
        uniforms(seed, [0], 1, 1)  # type: ignore[arg-type] # the wrong types are the point


def test_no_two_purposes_share_a_stream() -> None:
    """Every purpose has a number of its own, and the seeds derived for parts of it meet no other part's."""
    assert len({int(stream) for stream in Stream}) == len(Stream)
    found = [derive(seed, stream, number) for seed in (0, 1, 7) for stream in Stream for number in range(50)]
    assert len(set(found)) == len(found)
    assert not {seed + 1 + number for seed in (0, 1, 7) for number in range(50)} & set(found)
    assert all(0 <= seed < 2**64 for seed in found)


def test_a_derived_seed_is_that_of_its_address() -> None:
    """It is two words of Philox at (number, 0, 0, stream) under the run's seed."""
    counter = [np.array([word], dtype=np.uint64) for word in (3, 0, 0, int(Stream.REALISM))]
    first, second, *_ = philox(counter, (7, 0))
    assert derive(7, Stream.REALISM, 3) == int(first[0]) + (int(second[0]) << 32)


def test_numpys_generators_follow_the_seed() -> None:
    """The same seed and purpose give the same numbers, others give others."""
    drawn = [numpy_generator(*of).random() for of in ((1, Stream.FACTS), (1, Stream.FACTS), (2, Stream.FACTS))]
    assert drawn[0] == drawn[1] != drawn[2]
    assert numpy_generator(1, Stream.CLUSTERS).random() != drawn[0]


def test_random_numbers_come_from_the_table() -> None:
    """No code of the package makes a generator of its own, but training's shuffles."""
    package = Path(stresslab.__file__).parent
    places = [
        path.relative_to(package).as_posix()
        for path in sorted(package.rglob("*.py"))
        if "default_rng(" in path.read_text(encoding="utf-8") or "RandomState(" in path.read_text(encoding="utf-8")
    ]
    assert [place for place in places if not place.startswith("generators/kronos/train/")] == ["core/randomness.py"]
