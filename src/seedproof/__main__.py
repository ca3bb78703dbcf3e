"""`python -m seedproof` is the command `seedproof`."""

import sys

from seedproof.cli import main

if __name__ == "__main__":
    sys.exit(main())
