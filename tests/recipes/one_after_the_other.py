"""Several runs in one process, or in the same several processes, which then load the libraries once only.

python -m tests.recipes.one_after_the_other run-folder/config.toml another/config.toml
"""

import sys
import tomllib
from importlib import import_module
from pathlib import Path

from training.recipes import loop
from training.recipes.devices import join, leave


def main(paths):
    """Train each by the method that it names; the exit code of the first that does not finish."""
    join()
    # Processes that left each other do not find each other again.
    loop.leave = lambda: None
    for path in paths:
        name = tomllib.loads(path.read_text())["recipe"]["method"]
        if code := import_module(f"training.recipes.{name}").main(path):
            return code
    leave()
    return 0


if __name__ == "__main__":
    sys.exit(main([Path(path) for path in sys.argv[1:]]))
