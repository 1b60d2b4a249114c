# SPDX-License-Identifier: Apache-2.0
"""The command line: ``pilake``, or ``python -m pilake``."""

import sys

from . import _pilake


def main() -> int:
    """Runs the program; Ctrl-C is its own business, not Python's."""
    return _pilake.program(["pilake", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
