"""The settings of a run, from flags or a YAML file, checked once; what they set in motion is `stress`'s business."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stresslab.errors import InputError


class SampleConfig(BaseModel):
    """Everything that decides universes: bars, origin, generator. What a strategy does in them is `StressConfig`'s.

    Fractions are fractions (0.01 is one percent), horizons and contexts are bars.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: str
    since: str | None = None
    until: str | None = None
    repair: bool = False
    exchange: str | None = None
    origin: str | None = None
    horizon: int = Field(default=120, ge=1, le=100_000)
    universes: int = Field(default=1000, ge=1, le=100_000_000)
    generator: str = "kronos"
    model: str = "nano"
    temperature: float = Field(default=1.0, gt=0.0, le=100.0, allow_inf_nan=False)
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)
    top_k: int = Field(default=0, ge=0)
    context: int | None = Field(default=None, ge=1)
    seed: int = Field(default=0, ge=0, lt=2**64)
    jobs: int = Field(default=0, ge=0, description="workers; 0 means one per processor")
    device: str = "auto"
    out: str = "reports"

    @classmethod
    def of(cls, given: Mapping[str, Any], source: str = "settings") -> Self:
        """The settings given, checked; the rest are defaults.

        Raises:
            InputError: one line naming the first wrong value, its rule and the remedy.
        """
        for key in given:
            if key not in cls.model_fields:
                raise InputError(f"{source}: {key!r} is not a setting{did_you_mean(key, list(cls.model_fields))}")
        try:
            return cls(**given)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            value = "nothing" if first["type"] == "missing" else repr(first["input"])
            flag = "--" + name.split(".")[0].replace("_", "-")
            rule = first["msg"][0].lower() + first["msg"][1:]
            raise InputError(f"{source}: {name}={value} is refused: {rule}; correct {flag}") from None

    @classmethod
    def read(cls, path: str | Path) -> dict[str, Any]:
        """The mapping in a YAML file, unchecked, so that flags can be laid over it before `of`."""
        import yaml

        path = Path(path)
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(f"--config {path} cannot be read ({error.strerror}); give a YAML file") from None
        except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: 2018-13-45 is no date
            where = " ".join(str(error).split())
            raise InputError(f"--config {path} is not YAML ({where}); write lines such as `horizon: 120`") from None
        if not isinstance(content, dict):
            raise InputError(f"--config {path} holds {type(content).__name__}, not settings; write `horizon: 120`")
        return {str(key).replace("-", "_"): value for key, value in content.items()}


class StressConfig(SampleConfig):
    """Everything that `stresslab run` can be told; flags are spelled as these fields.

    Warm-ups are bars, cash is in the data's currency.
    """

    strategies: tuple[str, ...] = Field(min_length=1)
    param: dict[str, Any] = Field(default_factory=dict)
    warmup: int = Field(default=500, ge=0)
    position: Literal["carry", "flat"] = "carry"
    fees: float = Field(default=0.0005, ge=0.0, lt=1.0)
    slippage: float = Field(default=0.0005, ge=0.0, lt=1.0)
    init_cash: float = Field(default=100_000.0, gt=0.0, allow_inf_nan=False)
    allow_lookahead: bool = False
    realism_origins: int = Field(default=24, ge=0, le=1000, description="0 leaves realism unassessed")
    accept_untrusted: bool = False
    fail_on: tuple[str, ...] = ()


class RealismConfig(SampleConfig):
    """Everything that `stresslab realism` can be told beside where to write."""

    universes: int = Field(default=64, ge=2, le=100_000_000)
    realism_origins: int = Field(default=24, ge=1, le=1000)
    fit_temperature: bool = False


def did_you_mean(word: str, known: list[str]) -> str:
    """'; did you mean ...?' when something known is close, else '; known are ...'."""
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"
