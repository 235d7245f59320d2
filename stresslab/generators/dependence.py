"""How several symbols move together: uniforms that are independent in time and, at each bar, as dependent as history.

Every symbol's own uniforms are exactly uniform, so whatever inverts a distribution function at them keeps its law; what
is inverted is the generators' choice. Shapes: K symbols, M bars of history, n universes, T bars to sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from stresslab.core.arrays import FloatArray
from stresslab.core.errors import DataError, InputError
from stresslab.core.randomness import Stream, derive, uniforms
from stresslab.data.bars import CLOSE
from stresslab.data.market import Market
from stresslab.metrics.dependence import spearman

Kind = Literal["empirical", "student", "independent"]

BARS = 1000
"""Most bars of history that the dependence is read from: the last ones."""
MIN_BARS = 60
"""Fewest bars from which a dependence is read."""
HALF_LIVES = (5.0, 20.0, 100.0)
"""Half-lives, in bars, of the squared returns by whose mean a return is scaled."""
FLOOR = 1e-3
"""Least eigenvalue of a correlation matrix: of more symbols than bars it would be singular."""
CEILING = 0.995
"""Largest correlation that is asked of the uniforms, where the generator blurs more than can be made up for."""
DEGREES = (2.0, 50.0)
"""Range of the Student copula's degrees of freedom."""


def check_dependence(kind: str) -> Kind:
    """The kind itself when it is known."""
    if kind not in get_args(Kind):
        raise InputError(f"dependence={kind!r} is not known; choose one of {', '.join(get_args(Kind))}")
    return cast(Kind, kind)


def check_whole_days(kind: str, generator: str) -> None:
    """Refuse a dependence that a generator of whole real days does not have."""
    if check_dependence(kind) == "student":
        raise InputError(
            f"dependence={kind!r} is not for the {generator} generator, which resamples whole days of all symbols; "
            "choose empirical or independent, or the kronos generator"
        )


def own_seeds(seed: int, count: int) -> list[int]:
    """Seeds of `count` symbols that are independent of one another; the first is the seed itself."""
    return [seed, *(derive(seed, Stream.SYMBOL, number) for number in range(1, count))][:count]


@dataclass(frozen=True, eq=False)
class Dependence:
    """Uniforms of K symbols.

    Attributes:
        kind: "empirical" resamples bars of history whole, "student" draws from a t copula.
        ranks: (M, K) whole numbers, each column a permutation of 0 ... M - 1: of every bar's scaled returns, reshaped
            to the correlation `asked`; used by "empirical".
        asked: (K, K) correlation of the uniforms' normal scores.
        degrees: degrees of freedom of the t copula; NaN for "empirical".
        real: (K, K) Spearman correlation of the real one-bar returns.
    """

    kind: Kind
    ranks: NDArray[np.int64]
    asked: FloatArray
    degrees: float
    real: FloatArray

    @classmethod
    def fit(cls, market: Market, fidelity: Sequence[float], kind: Kind = "empirical") -> Dependence:
        """The dependence of a market's last `BARS` returns.

        Args:
            market: the history.
            fidelity: (K,) correlation of the simulated one-bar returns with the normal scores of the uniforms that
                they were made from: 1 where a return is a function of its uniform. The correlation asked of the
                uniforms is the real one over the fidelities of both symbols (Spearman 1904, the correction for
                attenuation), so that the simulated returns meet the real ones.
            kind: see the class.
        """
        returns, scaled = _returns(market)
        real = spearman(returns)
        wanted = from_spearman(real) / np.outer(fidelity, fidelity)
        asked = _correlation(np.clip(wanted, -CEILING, CEILING))
        ranks = _ranks(scaled)
        degrees = _degrees(ranks) if kind == "student" else float("nan")
        return cls(kind, _ranks(_scores(ranks) @ _reshaping(_scores(ranks), asked)), asked, degrees, real)

    def uniforms(self, seed: int, ids: NDArray[np.int64], steps: int) -> FloatArray:
        """Uniforms (n, T, K) in (0, 1): independent over universes and bars, dependent over symbols."""
        count, symbols = self.ranks.shape
        u = uniforms(seed, ids, steps, 1 + symbols, stream=Stream.DEPENDENCE)  # (n, T, 1 + K)
        if self.kind == "student":
            from scipy import stats  # slow to import

            root = np.linalg.cholesky(self.asked)
            mixing = np.sqrt(stats.chi2.ppf(u[..., 0], self.degrees) / self.degrees)[..., None]
            drawn = stats.t.cdf(ndtri(u[..., 1:]) @ root.T / mixing, self.degrees)
            return np.asarray(np.clip(drawn, 2.0**-40, 1.0 - 2.0**-40))
        days = np.minimum((u[..., 0] * count).astype(np.int64), count - 1)
        return np.asarray((self.ranks[days] + u[..., 1:]) / count)

    def describe(self) -> dict[str, Any]:
        """The fit as plain JSON."""
        said = {"kind": self.kind, "bars": len(self.ranks), "real": self.real.tolist(), "asked": self.asked.tolist()}
        return said | ({"degrees_of_freedom": self.degrees} if self.kind == "student" else {})


def from_spearman(rho: FloatArray) -> FloatArray:
    """Correlation of the bivariate normal with Spearman correlation rho (Pearson 1907): 2 sin(pi rho / 6)."""
    return np.asarray(2.0 * np.sin(np.pi * rho / 6.0))


def log_returns(market: Market) -> FloatArray:
    """Log returns (T - 1, K) from close to close."""
    return np.asarray(np.diff(np.log(market.values[:, :, CLOSE]), axis=1).T)


def _returns(market: Market) -> tuple[FloatArray, FloatArray]:
    """Log returns (M, K) of the last bars, and the same over the volatility known before each bar."""
    returns = log_returns(market).T  # (K, M)
    if returns.shape[1] < MIN_BARS:
        raise DataError(
            f"{len(market)} common bars are too few to see how symbols move together, which needs {MIN_BARS + 1}; "
            "give more history, or dependence independent"
        )
    for bars, own in zip(market, returns, strict=True):
        if not own[-BARS:].any():
            raise DataError(f"{bars.symbol} never moves in the last {BARS} common bars; leave it out")
    from scipy import signal  # slow to import

    squares = returns**2
    variance = np.zeros_like(squares)
    for half_life in HALF_LIVES:
        gain = 1.0 - 0.5 ** (1.0 / half_life)
        start = squares[:, : int(2 * half_life)].mean(axis=1, keepdims=True)
        after, _ = signal.lfilter([gain], [1.0, gain - 1.0], squares, axis=1, zi=(1.0 - gain) * start)
        variance += np.concatenate([start, after[:, :-1]], axis=1)
    scaled = returns / np.sqrt(variance / len(HALF_LIVES) + 1e-12)
    return returns[:, -BARS:].T, scaled[:, -BARS:].T


def _ranks(columns: FloatArray) -> NDArray[np.int64]:
    """Ranks from 0 of each column (M, K); of equals the earlier comes first."""
    from scipy import stats  # slow to import

    return np.asarray(stats.rankdata(columns, method="ordinal", axis=0) - 1)


def _scores(ranks: NDArray[np.int64]) -> FloatArray:
    """Normal scores (M, K) of ranks."""
    return np.asarray(ndtri((ranks + 0.5) / len(ranks)))


def _correlation(matrix: FloatArray) -> FloatArray:
    """The matrix as a correlation matrix: eigenvalues of at least `FLOOR`, ones in the diagonal."""
    filled = matrix.copy()
    np.fill_diagonal(filled, 1.0)
    values, vectors = np.linalg.eigh(filled)
    made = (vectors * np.maximum(values, FLOOR)) @ vectors.T
    size = np.sqrt(np.diag(made))
    return np.asarray(made / np.outer(size, size))


def _reshaping(scores: FloatArray, asked: FloatArray) -> FloatArray:
    """The least change (K, K) of scores (M, K) that gives them the correlation asked.

    It is the optimal transport between two normal distributions (Olkin & Pukelsheim 1982):
    C^-1/2 (C^1/2 A C^1/2)^1/2 C^-1/2.
    """
    root = _root(_correlation(np.asarray(np.corrcoef(scores.T)).reshape(asked.shape)))
    inverse = np.linalg.inv(root)
    return np.asarray(inverse @ _root(root @ asked @ root) @ inverse)


def _root(matrix: FloatArray) -> FloatArray:
    """Symmetric square root."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)


def _degrees(ranks: NDArray[np.int64]) -> float:
    """Degrees of freedom of the t copula, by pseudo-likelihood given the rank correlation (Demarta & McNeil 2005)."""
    from scipy import stats  # slow to import
    from scipy.optimize import minimize_scalar

    u = (ranks + 0.5) / len(ranks)
    correlation = _correlation(from_spearman(spearman(u)))
    inverse, log_determinant = np.linalg.inv(correlation), np.linalg.slogdet(correlation)[1]
    symbols = ranks.shape[1]

    def loss(log_degrees: float) -> float:
        nu = float(np.exp(log_degrees))
        x = stats.t.ppf(u, nu)
        distance = np.einsum("mi,ij,mj->m", x, inverse, x)
        together = stats.multivariate_t(df=nu, shape=np.eye(symbols)).logpdf(np.zeros(symbols)) - log_determinant / 2
        joint = together - (nu + symbols) / 2 * np.log1p(distance / nu)
        return -float((joint - stats.t.logpdf(x, nu).sum(axis=1)).sum())

    low, high = np.log(DEGREES)
    return float(np.exp(minimize_scalar(loss, bounds=(low, high), method="bounded").x))
