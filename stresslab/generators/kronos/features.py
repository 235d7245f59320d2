"""Which representation the config of a checkpoint records: price levels (published ones) or scaled returns (ours)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stresslab.core.errors import CheckpointError
from stresslab.generators.kronos.level_features import Levels
from stresslab.generators.kronos.representation import Representation
from stresslab.generators.kronos.return_features import Returns

_KINDS: dict[str, type[Levels] | type[Returns]] = {"levels": Levels, "returns": Returns}


def representation(settings: Mapping[str, Any] | None) -> Representation:
    """The representation that a checkpoint's config records; published configs record none and mean levels."""
    given = {"kind": "levels"} if settings is None else settings
    if not isinstance(given, Mapping):
        raise CheckpointError(f"representation {given!r} is not a table of settings; correct the config.json")
    kind = given.get("kind")
    if str(kind) not in _KINDS:
        raise CheckpointError(f"representation kind {kind!r} is not one of {sorted(_KINDS)}; correct the config.json")
    usual = _KINDS[str(kind)]()
    chosen: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in given.items() if key != "kind"}
    for key, value in chosen.items():
        if key not in usual.settings():
            raise CheckpointError(f"representation {kind!r} has no setting {key!r}; correct the config.json")
        if (key, value) != ("weights", ()):
            _check_setting(key, value, usual.settings()["half_lives" if key == "weights" else key])
    made = _KINDS[str(kind)](**chosen)
    if isinstance(made, Returns) and made.weights and len(made.weights) != len(made.half_lives):
        raise CheckpointError(
            f"representation: {len(made.weights)} weights for {len(made.half_lives)} half-lives; give one for each in "
            "the config.json"
        )
    return made


def _check_setting(key: str, value: Any, usual: Any) -> None:
    """Refuse what is not one finite number, or several, as the usual value is."""
    numbers = value if isinstance(value, tuple) else (value,)
    alike = isinstance(value, tuple) == isinstance(usual, tuple) and len(numbers) > 0
    if key in ("mean", "gain"):
        alike = alike and len(numbers) == len(usual)
    if not alike or not all(type(number) in (int, float) and abs(number) < 1e300 for number in numbers):
        raise CheckpointError(f"representation: {key}={value!r} is not like {usual!r}; correct the config.json")
    least = min(numbers)
    if key == "own_drift" and not 0 <= least <= 1:
        raise CheckpointError(f"representation: own_drift={value!r} is outside [0, 1]; correct the config.json")
    if (least < 0 and key != "mean") or (least == 0 and key not in ("mean", "gain", "own_drift")):
        raise CheckpointError(f"representation: {key}={value!r} is not above zero; correct the config.json")
