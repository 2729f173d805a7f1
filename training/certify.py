"""`python -m training.certify RELEASE ADAPTER`: what `training.recipes.certify` checks, by a shorter name."""

from __future__ import annotations

import sys

from training.recipes.certify import main

if __name__ == "__main__":
    sys.exit(main())
