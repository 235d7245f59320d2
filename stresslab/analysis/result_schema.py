"""The JSON schema of `result.json`, for programs that read it; measures and labels come from their own tables.

Objects may hold more than is said here: readers pass over what they do not know. What is required stays for as long as
`format_version` does.
"""

from __future__ import annotations

from typing import Any

from stresslab.analysis.result import FORMAT_VERSION, LEVELS
from stresslab.analysis.result_models import EDGES, LABELS
from stresslab.analysis.walk_forward import SPREAD
from stresslab.metrics.measures import MEASURES

NUMBER: dict[str, Any] = {"type": ["number", "null"]}
TEXT: dict[str, Any] = {"type": "string"}
COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
ENDS: dict[str, Any] = {
    "type": "array",
    "items": NUMBER,
    "minItems": 2,
    "maxItems": 2,
    "description": "both ends of a 95% interval; null where so few universes cannot bound it",
}


def _object(description: str, **properties: Any) -> dict[str, Any]:
    """An object all of whose properties are required."""
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
    }


def _array(items: dict[str, Any], description: str) -> dict[str, Any]:
    return {"type": "array", "items": items, "description": description}


def _measures(description: str) -> dict[str, Any]:
    """A number for each measure."""
    rows = {name: NUMBER | {"description": row.description} for name, row in MEASURES.items()}
    return _object(description, **rows)


SHARE = _object(
    "a share of universes with its 95% Wilson interval",
    value={"type": "number", "minimum": 0, "maximum": 1},
    low={"type": "number", "minimum": 0, "maximum": 1},
    high={"type": "number", "minimum": 0, "maximum": 1},
)
INTERVAL = _object("an estimate with its 95% interval", value=NUMBER, low=NUMBER, high=NUMBER)
DEPTHS: dict[str, Any] = {
    "type": "object",
    "description": "of a drawdown deeper than the key, a fraction",
    "additionalProperties": SHARE,
}
DISTRIBUTION = _object(
    "one measure over universes; null where it is not defined",
    **{name: NUMBER for name in ("mean", "std", "min", "max")},
    quantiles=_object("by level", **{str(level): NUMBER for level in LEVELS}),
    **{
        name: NUMBER | {"description": "a positive loss; null for measures whose low tail is no loss in capital"}
        for name in ("value_at_risk_95", "value_at_risk_99", "expected_shortfall_97_5")
    },
)
CHECK = _object(
    "one question of the verdict",
    name=TEXT,
    value=NUMBER,
    low=NUMBER,
    high=NUMBER,
    threshold=NUMBER,
    passed={"type": ["boolean", "null"], "description": "null where the evidence does not decide"},
    note=TEXT,
)
VERDICT = _object(
    "the label and what led to it",
    label={"enum": list(LABELS)},
    reasons=_array(TEXT, "sentences, the deciding one first") | {"minItems": 1},
    checks=_array(CHECK, "in the order in which they are asked"),
    universes_needed={"type": ["integer", "null"], "description": "how many universes would settle it, if they would"},
)
EDGE = _object(
    "the label of edge and what led to it",
    label={"enum": list(EDGES)},
    reasons=_array(TEXT, "sentences, the deciding one first") | {"minItems": 1},
    checks=_array(CHECK, "of the universes, the real bars and the real origins"),
)
_FIGURES: dict[str, Any] = {
    "universes": COUNT,
    "probability_of_loss": SHARE,
    "probability_of_drawdown": DEPTHS,
    "expected_shortfall_97_5": INTERVAL,
    "median_return": NUMBER,
}
_TIMED = ("probability_of_loss", "expected_shortfall_97_5", "median_return")
FIGURES = _object("how bad it gets in some universes", **_FIGURES, time_under_water=NUMBER, ruined=SHARE)
LIVES = _object(
    "one measure over lives",
    quantiles=_object("by level", **{str(level): NUMBER for level in SPREAD}),
    values=_array({"type": "number"}, "of every life, in order"),
    real=NUMBER,
    real_percentile=INTERVAL,
)
ORIGIN = _object(
    "the test from one date",
    origin=TEXT,
    trend={"enum": ["up", "down"]},
    volatility={"enum": ["calm", "turbulent"]},
    in_sample={"type": ["boolean", "null"], "description": "null for a generator that was not trained"},
    **_FIGURES,
    median_interval=ENDS,
    quantiles=_object("of the total return, by level", **{str(level): NUMBER for level in SPREAD}),
    realised_return=NUMBER,
    realised_percentile=INTERVAL,
)
SETTING = _object(
    "a setting of the generator",
    temperature={"type": "number", "exclusiveMinimum": 0},
    top_p={"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    context=COUNT | {"minimum": 1},
    own={"type": "boolean", "description": "whether it is the run's"},
)
TIMED = _object("returns", **{name: _FIGURES[name] for name in _TIMED})
STUDIES: dict[str, Any] = {
    "type": "object",
    "description": "what else was asked of it; each is there only where it was asked and answered",
    "properties": {
        "fragility": _object(
            "how bad it gets, and against buy and hold in the same universe",
            as_generated=FIGURES,
            drift_neutral=FIGURES,
            against_buy_and_hold=_object("of the total return", mean=INTERVAL, better=SHARE),
        ),
        "random_timing": _object(
            "what its positions earn in their own universe and in another, before costs",
            own=TIMED,
            random=TIMED,
            difference=_object("of the total return", mean=INTERVAL, better=SHARE),
        ),
        "error_budget": _object(
            "P(loss) with its error in parts",
            value=NUMBER,
            parts=_array(
                _object("one part", name=TEXT, low=NUMBER, high=NUMBER, count=COUNT, note=TEXT), "chance first"
            ),
            widest=TEXT,
        ),
        "costs": _array(
            {"allOf": [FIGURES, _object("costs multiplied", factor={"type": "number", "minimum": 0})]},
            "at multiples of the costs of trading and borrowing",
        ),
        "parameters": _object(
            "each parameter moved down and up, the others as they are",
            as_given=FIGURES,
            moved=_array({"allOf": [FIGURES, _object("one move", parameter=TEXT, value={})]}, "by parameter"),
            refused=_array(_object("a move that the strategy refuses", parameter=TEXT, value={}), "by parameter"),
        ),
        "knobs": _array({"allOf": [FIGURES, SETTING]}, "over settings of the generator"),
        "horizon": _object(
            "losses by the length of the horizon",
            universes=COUNT,
            losing=_array(COUNT, "universes below the initial capital after each bar, from none on"),
        ),
        "periods": _array(
            _object(
                "a year or a month of the backtest", period=TEXT, total_return=NUMBER, held=NUMBER, max_drawdown=NUMBER
            ),
            "returns on the real bars before the origin",
        ),
        "shocks": _array(
            {"allOf": [FIGURES, _object("a shock laid over the universes", name=TEXT, label=TEXT)]}, "in their order"
        ),
        "breaking": _array({"type": "object"}, "the worst 5% of the universes by what happened in them"),
        "contrasts": _array(
            {
                "allOf": [
                    FIGURES,
                    _object(
                        "a world of another generator",
                        name=TEXT,
                        label=TEXT,
                        keeps=TEXT,
                        lacks=TEXT,
                        own_drift={"type": "boolean", "description": "false where its drift was taken out"},
                    ),
                ]
            },
            "the run's own universes first",
        ),
        "eras": _object(
            "the test from other dates",
            origins=_array(ORIGIN, "in time"),
            effective={"type": "number", "description": "how many independent origins they are worth"},
            timing={"type": "object"},
            relived=_object(
                "one universe drawn for each window, many times",
                lives=COUNT,
                windows=COUNT,
                bars=COUNT,
                probability_of_loss=SHARE,
                total_return=LIVES,
                max_drawdown=LIVES,
            ),
        ),
    },
}
STRATEGY = _object(
    "one strategy over all universes",
    name=TEXT,
    parameters={"type": "object"},
    verdict=VERDICT,
    backtest=_measures("on the real bars before the origin"),
    realised={
        "anyOf": [_measures("on the real bars after the origin"), {"type": "null"}],
        "description": "null without a full horizon of real bars",
    },
    universes=_object(
        "the distribution",
        count=COUNT | {"minimum": 1},
        probability_of_loss=SHARE,
        measures=_object("by name", **dict.fromkeys(MEASURES, DISTRIBUTION)),
        intervals={
            "type": "object",
            "description": "by path into measures, such as total_return.quantiles.0.05",
            "additionalProperties": ENDS,
        },
        probability_of_drawdown=DEPTHS,
    ),
    edge={
        "anyOf": [EDGE, {"type": "null"}],
        "description": "whether it adds anything beyond its exposure; null where that was not asked",
    },
    studies=STUDIES,
    luck={"type": "object", "description": "where the real outcome falls among the universes; empty without one"},
    lookahead=_object(
        "what the look-ahead check covered and found",
        found=_array(TEXT, "what looks ahead"),
        inconclusive={"type": "boolean"},
        bars=COUNT,
        decisions=COUNT,
        cuts=COUNT,
    ),
)
KNOBS = _object(
    "what settings of the generator do to realism; null where there are too few origins",
    origins=COUNT,
    horizon=COUNT,
    universes=COUNT,
    settings=_array(
        {
            "allOf": [
                SETTING,
                _object(
                    "how its universes compare with what followed",
                    crps_over_own=NUMBER,
                    crps_error=NUMBER,
                    coverage_50=NUMBER,
                    coverage_90=NUMBER,
                    volatility_ratio=NUMBER,
                ),
            ]
        },
        "in the order of the strategies' rows",
    ),
)
RUN = _object(
    "what decided the run",
    config={"type": "object", "description": "settings as the command line spells them"},
    data=_object(
        "the bars",
        source=TEXT,
        symbol=TEXT,
        bars=COUNT,
        start=TEXT,
        end=TEXT,
        calendar=TEXT,
        periods_per_year={"type": "number", "exclusiveMinimum": 0},
        repaired=COUNT,
        notices=_array(TEXT, "what was noticed while loading"),
        digest={"type": "string", "pattern": "^[0-9a-f]{64}$"},
    ),
    origin=TEXT,
    horizon=COUNT | {"minimum": 1},
    universes=COUNT | {"minimum": 1},
    generator=_object("what decided the universes", name=TEXT),
    generator_facts={"type": "object"},
    in_sample={"type": ["boolean", "null"], "description": "null for a generator that was not trained"},
    notices=_array(TEXT, "what a reader must know"),
)
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "stresslab result",
    **_object(
        "result.json of a run. Fractions are fractions; drawdowns are negative; an undefined number is null.",
        format_version={"const": FORMAT_VERSION},
        run=RUN,
        strategies=_array(STRATEGY, "in the order given") | {"minItems": 1},
        studies={
            "type": "object",
            "description": "of all strategies together: paired differences, correlations, selection",
            "properties": {"knobs": KNOBS},
        },
        realism={
            "type": "object",
            "description": "whether the universes behave like this market",
            "properties": {
                "assessed": {"type": "boolean"},
                "label": {"enum": ["trusted", "caution", "not trusted"]},
                "reasons": _array(TEXT, "sentences"),
                "checks": _array({"type": "object"}, "of the gate"),
                "origins": COUNT,
            },
            "required": ["assessed"],
            "if": {"properties": {"assessed": {"const": True}}},
            "then": {"required": ["label", "reasons", "checks", "origins"]},
        },
    ),
}
"""The schema, draft 2020-12."""
