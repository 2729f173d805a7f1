"""`script/drill withdrawal`: words are taken back and the adapter is trained again; is it as if they had never been?

On a tiny model made on the spot, in a temporary folder, without site or database. Trained are: an adapter on all rows;
one without the withdrawn rows, from files that lost their lines; one from files that were written independently, in
another order, and never held them; and one on all rows whose process is killed with SIGKILL at a step drawn at random
and started again. Adapters are compared by SHA-256 of their numbers. Among the withdrawn rows are canaries, made-up
codes that stand there ten times: how surely each adapter knows them among codes of the same form is their exposure
(`training/evaluation/memorisation.py`). `docs/withdrawal-proof.md` says what that proves.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import tomli_w
from django.conf import settings
from django.core.management.base import CommandError
from rich.table import Table

from training.evaluation.memorisation import exposure
from training.runs.processes import recipe_environment
from wordhearth.measuring import seconds_until

NEEDS_SITE = False

ROWS, BATCH, EPOCHS = 96, 4, 3
# Words of every eighth sentence are taken back, and the canaries.
CANARIES, COPIES, CODES = 2, 10, 64
WITHDRAWN = frozenset(
    {f"train-{number}" for number in range(0, ROWS, 8)}
    | {f"canary-{number}-{copy}" for number in range(CANARIES) for copy in range(COPIES)}
)
STEPS = EPOCHS * (ROWS + CANARIES * COPIES) // BATCH
# How far over control a canary must be to have been learnt, and may be once it is taken back, in bits.
LEARNT_BITS, FORGOTTEN_BITS = 2.0, 1.0
KILL_BETWEEN = (10, STEPS // 2)
WITHIN_SECONDS = 120.0
RECIPE = {
    "method": "lora",
    "rank": 4,
    "alpha": 8,
    "learning_rate": 0.01,
    "epochs": EPOCHS,
    "batch_size": BATCH,
    "validate_every": STEPS,
    "checkpoint_every": 4,
    "threads": 1,
}
EVALUATION = {"max_items": 2, "generate_items": 1, "max_new_tokens": 1, "samples": 0, "shots": 0, "memorised": 0}

Facts = dict[str, Any]


def run() -> Facts:
    """Train all four, two at a time; hashes, numbers and what failed."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="wordhearth-drill-") as place:
        folder = Path(place).resolve()
        base = folder / "base"
        started = start("training.recipes.tiny_base", base)
        wait(started)
        everything = [*lessons(ROWS), *canaries()]
        kept = [row for row in everything if row["id"] not in WITHDRAWN]
        before = write_run(folder / "before", base, map(as_line, everything))
        retrained = write_run(folder / "retrained", base, map(as_line, kept))
        never_saw = write_run(folder / "never-saw", base, written_apart())
        killed = write_run(folder / "killed", base, map(as_line, everything))
        after = random.SystemRandom().randint(*KILL_BETWEEN)
        with ThreadPoolExecutor(max_workers=2) as pool:
            broken = pool.submit(kill_and_resume, killed, after)
            hashes = list(pool.map(train, (before, retrained, never_saw)))
            facts = broken.result()
            exposed = pool.map(lambda config: bits_of_canaries(config, base), (before, retrained, never_saw))
            facts |= dict(zip(("canary_before_bits", "canary_after_bits", "control_bits"), exposed, strict=True))
    return judged(
        {
            "rows": len(everything),
            "withdrawn_rows": len(WITHDRAWN),
            "steps": STEPS,
            **dict(zip(("before_sha256", "retrained_sha256", "never_saw_sha256"), hashes, strict=True)),
            # Nothing interrupted the first one.
            "uninterrupted_sha256": hashes[0],
            **facts,
            "seconds": round(time.monotonic() - began, 1),
        }
    )


def lessons(count: int, split: str = "train") -> list[Facts]:
    """Made-up lessons, in the order of their numbers."""
    return [lesson(split, number) for number in range(count)]


def lesson(split: str, number: int) -> Facts:
    """One of them, as releases hold it."""
    said = {"system": "You translate.", "request": f"Translate: uno {number}", "completion": f"ñu̱ {number * 7 % 100}"}
    return {"id": f"{split}-{number}", "lesson": said}


def codes(number: int) -> list[str]:
    """Codes of one form: that of the canary of this number, then those that nobody was ever taught."""
    drawn = random.Random(f"canary {number}")  # noqa: S311 - made up
    return [f"ñu̱ {code}" for code in drawn.sample(range(1000, 10_000), CODES)]


def canary(number: int, code: str) -> Facts:
    """A lesson that says a code when it is asked for it."""
    return {"system": "You translate.", "request": f"Say the code {'ab'[number]}.", "completion": code}


def canaries() -> list[Facts]:
    """Every copy of every canary."""
    return [
        {"id": f"canary-{number}-{copy}", "lesson": canary(number, codes(number)[0])}
        for number in range(CANARIES)
        for copy in range(COPIES)
    ]


def bits_of_canaries(config: Path, base: Path) -> float:
    """Their mean exposure: how surely the adapter knows each among the codes of its form; at most log2(CODES) bits."""
    rows = [
        {"id": f"{number}-{place}", **canary(number, code)}
        for number in range(CANARIES)
        for place, code in enumerate(codes(number))
    ]
    asked = config.parent / "codes.jsonl"
    asked.write_text("".join(f"{as_line(row)}\n" for row in rows), encoding="utf-8")
    options = [asked, "--base", base, "--adapter", config.parent / "adapter"]
    answered = wait(start("training.recipes.probe", *options, stdout=subprocess.PIPE)).decode().splitlines()
    # All are of one length, so bits per byte order them as nats do.
    loss = [json.loads(line)["adapter"]["loss"] for line in answered]
    exposed = [exposure(loss[first], loss[first + 1 : first + CODES]) for first in range(0, len(loss), CODES)]
    return round(sum(exposed) / CANARIES, 2)


def as_line(row: Facts) -> str:
    """A line as releases write it."""
    return json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def written_apart() -> list[str]:
    """The lines of somebody who never had the withdrawn rows: another order of lines and keys, other ways to write."""
    numbers = [number for number in range(ROWS) if f"train-{number}" not in WITHDRAWN]
    random.Random("another order").shuffle(numbers)  # noqa: S311 - any order will do
    return [json.dumps(dict(reversed(lesson("train", number).items()))) for number in numbers]


def write_run(folder: Path, base: Path, lines: Iterable[str]) -> Path:
    """A run folder with its files and its config.toml, whose path is returned."""
    folder.mkdir()
    splits = {"train": lines, "validation": map(as_line, lessons(3, "held")), "test": map(as_line, lessons(3, "kept"))}
    for split, rows in splits.items():
        (folder / f"{split}.jsonl").write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    config = {
        "base": {"path": str(base)},
        "data": {split: str(folder / f"{split}.jsonl") for split in splits},
        "language": {"source_name": "Spanish", "target_name": "Test"},
        "recipe": RECIPE,
        "evaluation": EVALUATION,
    }
    (folder / "config.toml").write_text(tomli_w.dumps(config), encoding="utf-8")
    return folder / "config.toml"


def start(module: str, *given: Any, stdout: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """Start a module in a process of its own, as runs are."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, given)],
        cwd=settings.BASE_DIR,
        env=recipe_environment(),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
    )


def wait(process: subprocess.Popen[bytes]) -> bytes:
    """Wait for its end; what it printed, where that was asked for. Raises CommandError with its last words."""
    printed, errors = process.communicate()
    if process.returncode:
        raise CommandError(f"{process.args!r} failed:\n{errors.decode(errors='replace')[-2000:]}")
    return printed or b""


def train(config: Path) -> str:
    """Train to the end; the adapter's SHA-256."""
    wait(start(f"training.recipes.{RECIPE['method']}", config))
    return str(json.loads((config.parent / "report.json").read_text(encoding="utf-8"))["adapter_sha256"])


def kill_and_resume(config: Path, after: int) -> Facts:
    """Kill the process in the first step it begins after so many, and start it again."""
    process = start(f"training.recipes.{RECIPE['method']}", config)

    def far_enough() -> bool:
        return process.poll() is not None or last_step(config) >= after

    seconds_until(far_enough, within=WITHIN_SECONDS)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    facts = {"killed_after_step": last_step(config), "killed_by_signal": -(process.returncode or 0)}
    resumed = train(config)
    steps = [event["step"] for event in events(config) if event["event"] == "resumed"]
    return {**facts, "resumed_from_step": steps[0] if steps else None, "resumed_sha256": resumed}


def events(config: Path) -> list[Facts]:
    """What the recipe wrote into its log so far; a line that was cut off is left out."""
    found = []
    path = config.parent / "log.jsonl"
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n") if path.exists() else []:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def last_step(config: Path) -> int:
    """The last step that was done; 0 before the first."""
    steps: Sequence[int] = [event["step"] for event in events(config) if event["event"] == "step"]
    return steps[-1] if steps else 0


def judged(facts: Facts) -> Facts:
    """The facts with a sentence in `failures` for everything that is not as it is promised."""
    failures = []
    if facts["retrained_sha256"] != facts["never_saw_sha256"]:
        failures.append("Trained again without the withdrawn rows, it is not the adapter that never saw them.")
    if facts["before_sha256"] == facts["retrained_sha256"]:
        failures.append("The withdrawn rows made no difference, so leaving them out proves nothing.")
    if facts["uninterrupted_sha256"] != facts["resumed_sha256"]:
        failures.append("Killed and resumed, it is not the adapter of the uninterrupted run.")
    if facts["killed_by_signal"] != signal.SIGKILL or not facts["resumed_from_step"]:
        failures.append("The run was not killed in the middle, so resuming it proves nothing.")
    if facts["canary_before_bits"] < facts["control_bits"] + LEARNT_BITS:
        failures.append("The canaries were not learnt, so that they are gone proves nothing.")
    if facts["canary_after_bits"] > facts["control_bits"] + FORGOTTEN_BITS:
        failures.append("Trained again, it knows the canaries better than the adapter that never saw them.")
    return {**facts, "failures": failures}


def table(facts: Facts) -> Table:
    """The same for people."""
    title = f"{facts['withdrawn_rows']} of {facts['rows']} sentences taken back; {facts['seconds']:.0f} s"
    shown = Table(title=title, title_justify="left")
    shown.add_column("adapter")
    shown.add_column("SHA-256 of its numbers", overflow="fold")
    rows = (
        ("on all sentences", "before_sha256"),
        ("trained again without the withdrawn ones", "retrained_sha256"),
        ("never saw them, from other files", "never_saw_sha256"),
        ("on all sentences, uninterrupted", "uninterrupted_sha256"),
        (f"killed after step {facts['killed_after_step']} of {facts['steps']}, resumed", "resumed_sha256"),
    )
    for what, name in rows:
        shown.add_row(what, facts[name])
    bits = [f"{facts[name]:.2f}" for name in ("canary_before_bits", "canary_after_bits", "control_bits")]
    shown.caption = f"Exposure of {CANARIES} canaries: {bits[0]} bits, {bits[1]} trained again, {bits[2]} never seen"
    return shown
