"""The whole of `result.json` as one model: the run, its strategies, what is known of them together, and realism."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, ValidationError

from stresslab.analysis.result_models import (
    Count,
    Edge,
    LookAhead,
    Luck,
    MeasureValues,
    Model,
    UniverseSummary,
    Verdict,
)
from stresslab.analysis.result_realism import NotAssessed, RealismSection
from stresslab.analysis.result_studies import RunStudies, StrategyStudies
from stresslab.core.errors import InputError

FORMAT_VERSION: Literal[4] = 4


class DataSummary(Model):
    """The bars of a run; whatever else describes them is kept."""

    model_config = ConfigDict(extra="allow")

    source: str
    symbol: str
    bars: Count
    start: str
    end: str
    calendar: str
    periods_per_year: float = Field(gt=0)
    repaired: Count
    notices: tuple[str, ...] = ()
    """what was noticed while loading"""
    digest: str = Field(pattern="^[0-9a-f]{64}$")


class Run(Model):
    """What decided the run."""

    config: dict[str, Any]
    """settings as the command line spells them"""
    data: DataSummary
    origin: str
    horizon: int = Field(ge=1)
    universes: int = Field(ge=1)
    generator: Annotated[dict[str, Any], Field(json_schema_extra={"required": ["name"]})]
    """what decided the universes"""
    generator_facts: dict[str, Any]
    in_sample: bool | None
    """null for a generator that was not trained"""
    notices: tuple[str, ...]
    """what a reader must know"""


class Strategy(Model):
    """One strategy over all universes."""

    name: str
    parameters: dict[str, Any]
    verdict: Verdict
    backtest: MeasureValues
    """on the real bars before the origin"""
    realised: MeasureValues | None
    """on the real bars after the origin; null without a full horizon of them"""
    universes: UniverseSummary
    edge: Edge | None
    """whether it adds anything beyond its exposure; null where that was not asked"""
    studies: StrategyStudies
    luck: Luck
    lookahead: LookAhead


class ResultDocument(Model):
    """The `result.json` of a run. Fractions are fractions; drawdowns are negative; an undefined number is null."""

    format_version: Literal[4]
    run: Run
    strategies: tuple[Strategy, ...] = Field(min_length=1)
    """in the order given"""
    studies: RunStudies
    """of all strategies together"""
    realism: Annotated[RealismSection | NotAssessed, Field(discriminator="assessed")]

    @classmethod
    def read(cls, facts: Any) -> Self:
        """The document that a file holds.

        Raises:
            ValueError: a fact is missing or cannot be; the message names the first such fact.
        """
        try:
            return cls.of(facts)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise ValueError(f"'{place}': {first['msg']}") from None


def check_version(facts: Any, where: str) -> None:
    """Refuse a document of another version than this one reads.

    Args:
        facts: the file's content.
        where: it came from, for the message.

    Raises:
        InputError: it is of another version.
    """
    version = facts.get("format_version") if isinstance(facts, dict) else None
    if version != FORMAT_VERSION:
        raise InputError(
            f"{where} has format_version {version!r:.40}, this stresslab reads {FORMAT_VERSION}; run it again"
        )
