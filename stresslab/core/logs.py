"""What happened during a command, as lines of JSON that are kept beside its result.

Modules log by `logging.getLogger(__name__)` as anywhere; which lines are kept, and how, is decided here.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

LEVELS = ("debug", "info", "warning", "error")
MAX_LINES = 10_000
"""Lines of one command that are kept; later ones are counted."""


class Log(logging.Handler):
    """Keeps records as lines of JSON: time (UTC), level, logger, message, and what else was given as `extra`."""

    def __init__(self, level: str) -> None:
        super().__init__(level.upper())
        self.lines: list[str] = []
        self.dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        if len(self.lines) >= MAX_LINES:
            self.dropped += 1
            return
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": " ".join(record.getMessage().split()),
        }
        given = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            given["traceback"] = logging.Formatter().formatException(record.exc_info)
        self.lines.append(json.dumps(entry | given, default=str))

    def text(self) -> str:
        """All lines, and a last one that counts those that were dropped."""
        rest = [json.dumps({"level": "warning", "message": f"{self.dropped} more lines"})] if self.dropped else []
        return "".join(f"{line}\n" for line in [*self.lines, *rest])


_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


@contextmanager
def recording(level: str = "info", *, warnings: bool = True) -> Iterator[Log]:
    """Keep what is logged by stresslab for a while, and Python's warnings unless they are to be printed as usual."""
    log = Log(level)
    watched = [logging.getLogger("stresslab"), logging.getLogger("py.warnings")]
    before = [(logger.level, logger.propagate) for logger in watched]
    logging.captureWarnings(warnings)
    for logger in watched:
        logger.addHandler(log)
        logger.setLevel(level.upper())
        logger.propagate = False
    try:
        yield log
    finally:
        logging.captureWarnings(False)
        for logger, (old, propagated) in zip(watched, before, strict=True):
            logger.removeHandler(log)
            logger.setLevel(old)
            logger.propagate = propagated
