"""Does the gate mean what it says? How often each label is given to the true process, and to universes with a fault.

    python benchmarks/gate.py --cases 200

    python benchmarks/gate.py --cases 200 --origins 22 --horizon 39 --step 13

Simulated GARCH markets of 24 origins and 40 bars each, as a run looks at, or of origins that overlap; universes are
drawn from the true process, or with one fault. "Beside held-out evidence" the model's outcomes on held-out series are
known to be as they should be, so that only the series itself can take trust away.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rates import Rates, show

from stresslab.realism.gate import gate
from tests.realism.cases import FAULTS, HARD_FAULTS, SMALL_FAULTS, held_out_checks, simulate

LABELS = ("trusted", "no fault found", "not trusted")
FIRST = 20_000
"""First seed: other markets than those of the tests and from 50,000 on, on which the gate's constants were settled."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=200, help="markets of each kind")
    parser.add_argument("--origins", type=int, default=24)
    parser.add_argument("--horizon", type=int, default=40)
    parser.add_argument("--step", type=int, help="bars between origins; fewer than a horizon make them overlap")
    parser.add_argument("--faults", default="", help='only those whose names hold this; the true process is "none"')
    given = parser.parse_args(arguments)
    sys.stdout.write("| universes | evidence | trusted | no fault found | not trusted |\n|---|---|---|---|---|\n")
    for fault in (None, *SMALL_FAULTS, *FAULTS, *HARD_FAULTS):
        if given.faults not in (fault or "none"):
            continue
        markets = [
            simulate(fault, FIRST + case, given.horizon, given.origins, step=given.step) for case in range(given.cases)
        ]
        for evidence, pooled in (("series alone", ()), ("beside held-out evidence", held_out_checks())):
            rates = Rates(fault or "true process")
            for origins in markets:
                label = gate(origins, pooled)[0]
                rates.add(**{name: name == label for name in LABELS})
            cells = (show(rates.rate(name)) for name in LABELS)
            sys.stdout.write(f"| {rates.case} | {evidence} | {' | '.join(cells)} |\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
