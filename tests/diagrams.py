"""Draws the state machines of the code into the documents.

    python -m tests.diagrams

It writes the block under each machine's heading anew; a new machine gets its heading (`### Name`) with an empty block
of mermaid by hand, and a line here. `tests/guards/test_diagrams.py` fails while a document shows another machine.
"""

from __future__ import annotations

import os
import re
import sys
from datetime import timedelta
from pathlib import Path

import django
from django.apps import apps

ROOT = Path(__file__).resolve().parent.parent
if not apps.ready:
    sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wordhearth.settings")
    django.setup()

from care import agreement_states, states  # noqa: E402
from care.withdrawing import STAGES  # noqa: E402
from training.runs import states as run_states  # noqa: E402

UNITS = (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))


def within(span: timedelta) -> str:
    """A deadline in words."""
    seconds = int(span.total_seconds())
    name, size = next((unit for unit in UNITS if seconds > unit[1] and seconds % unit[1] == 0), ("", 1))
    return f"within {seconds // size} {name}" if name else "at once"


def withdrawal() -> str:
    """What every withdrawal brings about beside each other, and until when."""
    lines = ["stateDiagram-v2", "    state then <<fork>>", "    [*] --> then: words are taken back"]
    for stage in STAGES:
        where = "" if stage.always else ", where there is anything to do"
        lines += [f"    then --> {stage.name}: {within(stage.within)}{where}", f"    {stage.name} --> [*]: done"]
    return "\n".join(lines)


def pictures() -> dict[str, dict[str, str]]:
    """For each document, the machines that it shows."""
    tables = {
        "decisions-and-votes.md": states.MACHINES,
        "harm-and-holds.md": states.HARM_MACHINES,
        "agreements.md": agreement_states.MACHINES,
        "runs.md": run_states.MACHINES,
    }
    drawn = {file: {name: states.mermaid(steps) for name, steps in held.items()} for file, held in tables.items()}
    return {**drawn, "my-data.md": {"Withdrawal": withdrawal()}}


def with_pictures(text: str, machines: dict[str, str]) -> str:
    """A document with these machines as they are now. Raises LookupError for one that it has no place for."""
    for name, picture in machines.items():
        block = re.search(rf"^### {name}\n\n```mermaid\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
        if block is None:
            raise LookupError(f"There is no block of mermaid under “### {name}”.")
        text = f"{text[: block.start(1)]}{picture}\n{text[block.end(1) :]}"
    return text


def main() -> None:
    """Write them all."""
    for file, machines in pictures().items():
        path = ROOT / "docs" / file
        path.write_text(with_pictures(path.read_text(encoding="utf-8"), machines), encoding="utf-8")


if __name__ == "__main__":
    main()
