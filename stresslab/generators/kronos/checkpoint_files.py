"""Where a checkpoint's files are and what they are, read without loading a weight: torch is not imported.

A checkpoint is a folder with `model/` and `tokenizer/`, each config.json and safetensors, in the package, elsewhere on
disk, or on the Hugging Face hub. `checkpoint` makes networks of them.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from safetensors import SafetensorError

from stresslab.core.errors import CheckpointError
from stresslab.core.safe_files import MAX_JSON, digest_of
from stresslab.generators.kronos.features import representation

NANO = "nano"
WEIGHTS, CONFIG, CALIBRATION = "model.safetensors", "config.json", "calibration.json"
MAX_CONTEXT = 512
"""Bars in the window of a checkpoint that does not say so itself, as of Kronos-small and -base."""
MAX_HEADER = 16 * 2**20
"""Bytes of the largest header of a file of weights; a thousand tensors take a hundredth of it."""
LARGEST = 2**16
"""Largest number in a config that is taken for a size; the published ones end at 2,048."""

TABLED = ".inv_freq"
"""How the names of tensors end that are no parameters: frequencies of rotary positions, which nothing trains."""
Content = TypeVar("Content")


@dataclass(frozen=True)
class Hosted:
    """One repository on the hub.

    Attributes:
        repository: its id.
        revision: commit that was reviewed; None where only the hash of the weights is known.
        sha256: of `model.safetensors`; None where it is not known.
    """

    repository: str
    revision: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Published:
    """A published model and the tokenizer it was trained with."""

    model: Hosted
    tokenizer: Hosted
    max_context: int
    trained_until: str = "2024-06-30"


_TOKENIZER_BASE = Hosted(
    "NeoQuasar/Kronos-Tokenizer-base",
    "0e0117387f39004a9016484a186a908917e22426",
    "59d85f6af76a2c3b8240ea06cb21db4213b4eeca053f246b23e29cf832fc6bee",
)
_TOKENIZER_2K = Hosted(
    "NeoQuasar/Kronos-Tokenizer-2k", None, "b97ec46b3b72160509e289183eaf7bdf5f0dac5bb9b49522f6d46638a99a8717"
)
PUBLISHED: Mapping[str, Published] = MappingProxyType(
    {
        "NeoQuasar/Kronos-mini": Published(
            Hosted("NeoQuasar/Kronos-mini", None, "a7d5f37e2e9fbd9891f7d7d4f72574512dd1f704fee14223e0a8cd0fbf54197c"),
            _TOKENIZER_2K,
            2048,
        ),
        "NeoQuasar/Kronos-small": Published(
            Hosted(
                "NeoQuasar/Kronos-small",
                "901c26c1332695a2a8f243eb2f37243a37bea320",
                "b082dfcbd8e8c142a725c8bbb99781802f38fec81210e13479effb32b3c3e020",
            ),
            _TOKENIZER_BASE,
            512,
        ),
        "NeoQuasar/Kronos-base": Published(Hosted("NeoQuasar/Kronos-base"), _TOKENIZER_BASE, 512),
    }
)
"""Models of Shi et al. 2025 (arXiv 2508.02739) by their ids on the hub; their training data end in June 2024."""


@dataclass(frozen=True)
class CheckpointFiles:
    """A checkpoint before it is loaded.

    Attributes:
        name: what was asked for.
        model: folder of the transformer.
        tokenizer: folder of the tokenizer it was trained with.
        max_context: bars in its window.
        trained_until: last date of its training data, where that is known.
        hashes: sha256 of the weights of "model" and "tokenizer".
        revisions: commits on the hub, where they come from there.
        calibration: what was measured of these weights on held-out series, as `calibration.json` holds it, if it was.
    """

    name: str
    model: Path
    tokenizer: Path
    max_context: int
    trained_until: str | None
    hashes: Mapping[str, str]
    revisions: Mapping[str, str | None]
    calibration: Mapping[str, Any] | None = None

    def describe(self) -> dict[str, Any]:
        """Name, identity and training cut-off, as plain JSON."""
        return {
            "model": self.name,
            "parameters": sum(
                math.prod(shape) for name, shape in shapes(self.model / WEIGHTS).items() if not name.endswith(TABLED)
            ),
            "max_context": self.max_context,
            "trained_until": self.trained_until,
            "hashes": dict(self.hashes),
            "revisions": dict(self.revisions),
            "representation": representation(read_config(self.tokenizer).get("representation")).settings()["kind"],
        }


def find_checkpoint(name: str) -> CheckpointFiles:
    """The files of the checkpoint of that name; from the hub they are fetched where they are not there.

    Args:
        name: "nano" (bundled), an id on the hub, or a folder with `model/` and `tokenizer/`.

    Raises:
        CheckpointError: nothing of that name, or what is there is damaged; one line.
    """
    if name == NANO:
        return _in_folder(nano_folder(), NANO)
    if os.path.isdir(name):  # unlike Path.is_dir, False for a name too long to be one
        return _in_folder(Path(name), name)
    if name in PUBLISHED:
        return _published(name, PUBLISHED[name])
    raise CheckpointError(
        f"model={name!r} is neither nano, nor a folder with model/ and tokenizer/, nor one of {', '.join(PUBLISHED)}; "
        "download other checkpoints into such a folder"
    )


def nano_folder() -> Path:
    """The folder of the bundled model."""
    return Path(__file__).with_name(NANO)


FINE_TUNED = {"model": "basemodel/best_model", "tokenizer": "tokenizer/best_model"}
"""Where Kronos' own fine-tuning leaves the two parts of a checkpoint."""


def _part(folder: Path, part: str, name: str) -> Path:
    """The folder of a part of a checkpoint: as stresslab and the hub lay it out, or as Kronos' fine-tuning does."""
    for place in (folder / part, folder / FINE_TUNED[part]):
        if (place / CONFIG).is_file():
            return place
    if (folder / part).is_dir():
        return folder / part
    raise CheckpointError(
        f"model={name}: the folder has no {part}/; it must hold model/ and tokenizer/, each with {CONFIG} and "
        f"{WEIGHTS}, or {FINE_TUNED['model']}/ and {FINE_TUNED['tokenizer']}/ as Kronos' fine-tuning leaves them"
    )


def _in_folder(folder: Path, name: str) -> CheckpointFiles:
    model, tokenizer = (_part(folder, part, name) for part in ("model", "tokenizer"))
    settings = read_config(model)
    read_config(tokenizer)
    hashes = {"model": _checked_hash(model, None), "tokenizer": _checked_hash(tokenizer, None)}
    window, until = _window(settings, folder), _date(settings.get("trained_until"), folder)
    return CheckpointFiles(
        name, model, tokenizer, window, until, hashes, {}, _calibration(folder / CALIBRATION, hashes)
    )


def _published(name: str, published: Published) -> CheckpointFiles:
    parts = {"model": published.model, "tokenizer": published.tokenizer}
    folders = {part: _download(hosted) for part, hosted in parts.items()}
    hashes = {part: _checked_hash(folders[part], hosted) for part, hosted in parts.items()}
    revisions = {part: hosted.revision for part, hosted in parts.items()}
    return CheckpointFiles(
        name, folders["model"], folders["tokenizer"], published.max_context, published.trained_until, hashes, revisions
    )


def _calibration(path: Path, hashes: Mapping[str, str]) -> dict[str, Any] | None:
    """What a checkpoint's folder says was measured of its weights; None where nothing was."""
    if not path.is_file():
        return None
    found = read_json(path)
    if found.get("weights") != dict(hashes) or not isinstance(found.get("kinds"), dict):
        raise CheckpointError(
            f"{path} was measured for other weights than those beside it; measure again, or delete it"
        )
    return found


def _window(settings: Mapping[str, Any], folder: Path) -> int:
    """The window that the model's config records, else the published one."""
    window = settings.get("max_context")
    window = MAX_CONTEXT if window is None else window
    if not isinstance(window, int) or isinstance(window, bool) or window < 2:
        raise CheckpointError(f"{folder}: max_context={window!r} is not a number of bars above 1; correct {CONFIG}")
    return window


def _date(recorded: Any, folder: Path) -> str | None:
    """The end of the training data that the model's config records, if it does."""
    try:
        return None if recorded is None else str(date.fromisoformat(recorded))
    except (TypeError, ValueError):
        raise CheckpointError(
            f"{folder}: trained_until={recorded!r} is not a date such as 2024-06-30; correct {CONFIG}"
        ) from None


def _download(hosted: Hosted) -> Path:
    """The folder with a repository's config and weights, from the hub's cache or the hub."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(hosted.repository, revision=hosted.revision, allow_patterns=[CONFIG, WEIGHTS]))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:160]
        raise CheckpointError(
            f"model={hosted.repository} cannot be fetched from the Hugging Face hub ({reason}); check the connection, "
            "or use `model=nano`, which is bundled"
        ) from None


def read_config(folder: Path) -> dict[str, Any]:
    """The content of a folder's config.json."""
    return read_json(folder / CONFIG)


def read_json(path: Path) -> dict[str, Any]:
    """The settings in a JSON file."""
    try:
        if not path.is_file() and path.exists():
            raise CheckpointError(f"{path} is not a regular file; take it from the checkpoint again")
        if path.stat().st_size > MAX_JSON:
            raise CheckpointError(f"{path} has {path.stat().st_size:,} bytes, too many for settings; take it again")
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing; a checkpoint needs {CONFIG} and {WEIGHTS}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is not JSON ({error}); take the file from the checkpoint again") from None
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} holds {type(content).__name__}, not settings; take the file again")
    return content


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor in a file of weights, whose header alone is read and compared with the file's size."""

    def read(file: Path) -> dict[str, tuple[int, ...]]:
        size = file.stat().st_size
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if length > min(MAX_HEADER, size - 8):
                raise ValueError(f"a header of {length:,} bytes in a file of {size:,}")
            header = {name: entry for name, entry in json.loads(stream.read(length)).items() if name != "__metadata__"}
        end = 8 + length + max((entry["data_offsets"][1] for entry in header.values()), default=0)
        if end != size:
            raise ValueError(f"{end:,} bytes by its header, it has {size:,}")
        return {name: tuple(entry["shape"]) for name, entry in header.items()}

    return read_weights(path, read)


def read_weights(path: Path, read: Callable[[Path], Content]) -> Content:
    """What is read from a file of weights, or why it cannot be."""
    if not path.exists():
        pickled = [other.name for other in path.parent.glob("*.bin")]
        hint = f"; {pickled[0]} is a pickle, which is never read: convert it to safetensors" if pickled else ""
        raise CheckpointError(f"{path} is missing{hint or f'; a checkpoint needs {CONFIG} and {WEIGHTS}'}")
    if not path.is_file():
        raise CheckpointError(f"{path} is not a regular file; take the weights again")
    try:
        return read(path)
    except (SafetensorError, OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(
            f"{path} is not a whole safetensors file ({' '.join(str(error).split())}); take the weights again"
        ) from None


def _checked_hash(folder: Path, hosted: Hosted | None) -> str:
    """The weights' sha256, compared with the known one where there is one."""
    path = folder / WEIGHTS
    found = read_weights(path, lambda file: digest_of(file.resolve()))  # the hub's cache holds links
    if hosted is not None and hosted.sha256 not in (None, found):
        raise CheckpointError(
            f"{hosted.repository}: {WEIGHTS} has sha256 {found}, known is {hosted.sha256}; delete the hub's cache of "
            "it and fetch it again"
        )
    return found or ""
