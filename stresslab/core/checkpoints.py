"""A folder of pieces that are computed one by one and survive whatever stops the work: whole, known by hash, once.

A piece is written under a temporary name, synced and renamed, then entered in the ledger with its hash; what is in the
folder but not in the ledger, or not as the ledger says, counts as missing. Callers know what the pieces hold.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stresslab.core.errors import InputError
from stresslab.core.safe_files import digest_of, is_inside
from stresslab.core.whole_files import alone, put, put_text

PLAN, LEDGER = "plan.json", "done.jsonl"


@dataclass(frozen=True)
class Shards:
    """Pieces 0 ... count - 1 of one work.

    Attributes:
        folder: in which they lie.
        plan: everything that decides what is in them, as plain JSON; another plan is another work.
        count: how many there are.
        name: of the file of a piece.
    """

    folder: Path
    plan: Mapping[str, Any]
    count: int
    name: Callable[[int], str]

    @contextmanager
    def working(self) -> Iterator[list[int]]:
        """Begin or continue the work, alone; yields the pieces that are missing.

        Where it ends by an error before any piece is finished, nothing is left.

        Raises:
            InputError: another process works here, or the folder holds the pieces of another plan.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with alone(self.folder):
            self._begin()
            try:
                yield self.missing()
            except BaseException:
                if not self.ledger():
                    (self.folder / PLAN).unlink()
                raise

    def missing(self) -> list[int]:
        """Pieces that are not in the folder as they were written."""
        done = self.ledger()
        return [
            position
            for position in range(self.count)
            if position not in done or digest_of(self.folder / self.name(position)) != done[position]
        ]

    def add(self, position: int, write: Callable[[Path], object]) -> Path:
        """Write a piece.

        Args:
            position: which.
            write: writes a file of the name that it is given.
        """
        path = self.folder / self.name(position)
        put(path, write)
        digest = digest_of(path)
        with (self.folder / LEDGER).open("a", encoding="utf-8") as ledger:
            ledger.write(json.dumps({"piece": position, "file": path.name, "sha256": digest}) + "\n")
            ledger.flush()
            os.fsync(ledger.fileno())
        return path

    def ledger(self) -> dict[int, str]:
        """Hashes of the pieces that were finished; a line that was torn off does not count."""
        try:
            lines = (self.folder / LEDGER).read_text(encoding="utf-8", errors="replace").split("\n")[:-1]
        except FileNotFoundError:
            return {}
        done = {}
        for line in lines:
            try:
                entry = json.loads(line)
                done[int(entry["piece"])] = str(entry["sha256"])
            except (ValueError, TypeError, LookupError):
                continue
        return done

    def digest(self) -> str:
        """SHA-256 over the hashes of all pieces in order."""
        done = self.ledger()
        return hashlib.sha256("".join(done[position] for position in range(self.count)).encode()).hexdigest()

    def _begin(self) -> None:
        """Write the plan, or find the same one; end a ledger that was torn, so that the next line is whole."""
        assert all(is_inside(self.name(position)) for position in (0, self.count - 1))
        path = self.folder / PLAN
        wanted = json.loads(json.dumps(dict(self.plan)))
        if not path.exists():
            if any((self.folder / self.name(position)).exists() for position in range(self.count)):
                raise InputError(f"{self.folder} already holds such files, but no {PLAN}; name a new folder")
            put_text(path, json.dumps(wanted, indent=1) + "\n")
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{path} cannot be read ({error}); name a new folder") from None
        if found != wanted:
            raise InputError(f"{self.folder} holds other work: {_difference(found, wanted)}; name a new folder")
        ledger = self.folder / LEDGER
        if ledger.exists() and not ledger.read_bytes().endswith(b"\n"):
            with ledger.open("a", encoding="utf-8") as stream:
                stream.write("\n")


def _difference(found: Any, wanted: Mapping[str, Any]) -> str:
    """The first entry in which two plans differ."""
    if not isinstance(found, dict):
        return "it has no plan"
    for name in (*wanted, *found):
        if found.get(name) != wanted.get(name):
            return f"{name} is {json.dumps(found.get(name)):.80}, not {json.dumps(wanted.get(name)):.80}"
    return "another plan"
