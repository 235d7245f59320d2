"""`python -m stresslab`: the command line where the `stresslab` script is not on the path."""

import sys

from stresslab.cli import main

if __name__ == "__main__":
    sys.exit(main())
