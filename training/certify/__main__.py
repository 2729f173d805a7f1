"""`python -m training.certify RELEASE RUN --base BASE`."""

from __future__ import annotations

import sys

from training.recipes.certify import main

if __name__ == "__main__":
    sys.exit(main())
