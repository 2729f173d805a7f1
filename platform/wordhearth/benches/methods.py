"""`script/bench methods`: every method on the packaged Otomí corpus, as a run would measure it.

Each trains the bundled model on the same sentences, reads them once, and is measured on documents that it never saw:
bits per byte and chrF++ beside base model and examples, what was forgotten, energy. Then what stands on finished
adapters: DyLoRA's ranks beside a LoRA trained at each of them, the trade-off of intruder dimensions, cutting in half.

The corpus has no votes. For the methods that learn from them, each translation is approved and, for the same sentence,
the translation of another one is turned down. `docs/methods.md` says what the figures mean. Takes about an hour.
"""

from __future__ import annotations

import json
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import tomli_w
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from training.recipes.configuration import FROM_VOTES, METHODS
from wordhearth.benches.training import RATES, USUAL_RATE, Facts, json_of, prepared_base, start, write_data

NEEDS_SITE = False

SENTENCES, BATCH, HELD_OUT, RANK = 192, 8, 32, 16
# A LoRA is trained at each of these, too, to stand beside DyLoRA's.
RANKS = (1, 2, 4, 8)
VOTED = 48


def run() -> Facts:
    """Train with every method and say what each has learnt."""
    with tempfile.TemporaryDirectory() as place:
        folder, base = Path(place), prepared_base()
        data = write_data(folder, train=SENTENCES, held_out=HELD_OUT)
        voted = {split: _write_votes(Path(data[split])) for split in ("train", "test")}
        jobs = [(name, name, RANK) for name in METHODS] + [(f"lora-{rank}", "lora", rank) for rank in RANKS]
        # One thread each: as many at once as there are processors.
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            trained = [
                pool.submit(_train, folder / name, method, rank, base, data, voted) for name, method, rank in jobs
            ]
            reports = {name: one.result() for (name, *_), one in zip(jobs, trained, strict=True)}
        qlora = str(folder / "qlora" / "config.toml")
        after = {
            "intruders": json_of("training.recipes.intruders", qlora),
            "prune": json_of("training.recipes.prune", qlora, str(RANK // 2), str(folder / "pruned")),
        }
    return {
        "sentences": SENTENCES,
        "held_out": HELD_OUT,
        "methods": {name: shown(reports[name]) for name in METHODS},
        "few_shot": reports["lora"]["evaluation"]["few_shot"],
        "by_rank": by_rank(reports),
        **after,
    }


def shown(report: Facts) -> Facts:
    """What the table says of one run."""
    measured = report["evaluation"]
    text = measured["scores"][0]
    return {
        "tokens": report["tokens"],
        "steps": report["steps"],
        "tokens_per_processor_second": report["tokens_per_processor_second"],
        "wh": report["energy"]["wh"],
        "base_bpb": measured["base_bpb"],
        "adapter_bpb": measured["adapter_bpb"],
        "bpb_difference_ci95": measured["bpb_difference_ci95"],
        "base_chrf": text["base"],
        "adapter_chrf": text["adapter"],
        "chrf_difference_ci95": text["difference_ci95"],
        "forgetting": {one["language"]: one["difference"] for one in measured["forgetting"]},
        **({"votes": report["votes"]} if "votes" in report else {}),
    }


def by_rank(reports: dict[str, Facts]) -> list[Facts]:
    """DyLoRA's measured ranks, each beside the LoRA that was trained at that rank alone: bits per byte on the same
    validation sentences."""
    alone = {rank: reports[f"lora-{rank}"]["last_validation_bpb"] for rank in RANKS}
    alone[RANK] = reports["lora"]["last_validation_bpb"]
    rows = reports["dylora"]["ranks"]["measured"]
    return [
        {
            "rank": row["rank"],
            "dylora_bpb": row["bpb"],
            "lora_bpb": alone[row["rank"]],
            "ratio": row["bpb"] / alone[row["rank"]],
        }
        for row in rows
    ]


def _write_votes(lessons: Path) -> str:
    """Some of the lessons, each approved, and turned down with the words of another one; the file's path."""
    rows = [json.loads(line) for line in lessons.read_text(encoding="utf-8").splitlines()][:VOTED]
    lines = []
    for row, other in zip(rows, [*rows[1:], rows[0]], strict=True):
        for is_good, told in ((True, row), (False, other)):
            lesson = {**row["lesson"], "completion": told["lesson"]["completion"]}
            votes = [{"by": "rule", "good": is_good, "skill": 1.0}]
            lines.append({"id": f"{row['id']}-{is_good}", "group": row["id"], "lesson": lesson, "votes": votes})
    path = lessons.with_name(f"{lessons.stem}.judged.jsonl")
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return str(path)


def _train(
    folder: Path, method: str, rank: int, base: Path, data: dict[str, str], voted: dict[str, str]
) -> dict[str, Any]:
    """One run; its report, with the bits per byte that its last validation found."""
    folder.mkdir()
    judged = {f"judged_{split}": path for split, path in voted.items()} if method in FROM_VOTES else {}
    config = {
        "base": {"path": str(base)},
        "data": {**data, **judged},
        "language": {"source_name": "Spanish", "target_name": "Otomi", "source_tag": "es", "target_tag": "ote"},
        "recipe": {
            "method": method,
            "rank": rank,
            "alpha": 2 * rank,
            "epochs": 1,
            "batch_size": BATCH,
            "threads": 1,
            "learning_rate": RATES.get(method, USUAL_RATE),
            "validate_every": SENTENCES // BATCH,
        },
        "evaluation": {"max_items": HELD_OUT, "generate_items": 12, "max_new_tokens": 40, "memorised": 0},
        # Of an office machine of two processors, said and not measured.
        "energy": {"watts": 65.0, "region": "MEX"},
    }
    path = folder / "config.toml"
    path.write_text(tomli_w.dumps(config), encoding="utf-8")
    start(f"training.recipes.{method}", str(path))
    for checkpoint in (folder / "checkpoints").glob("*"):
        checkpoint.unlink()
    report: Facts = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    log = [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    validated = [event["bpb"] for event in log if event["event"] == "validation"]
    return {**report, "last_validation_bpb": validated[-1] if validated else None}


def table(facts: Facts) -> Group:
    """A row for each method, then ranks and what was done with adapters afterwards."""
    methods = Table(
        "method",
        *(
            "tokens/s of one core",
            "Wh",
            "bits/byte, base",
            "after",
            "95 %",
            "chrF++, base",
            "after",
            "95 %",
            "forgotten",
        ),
        box=box.SIMPLE_HEAD,
    )
    for name, row in facts["methods"].items():
        methods.add_row(
            METHODS[name],
            f"{row['tokens_per_processor_second']:.1f}",
            f"{row['wh']:.2f}",
            f"{row['base_bpb']:.3f}",
            f"{row['adapter_bpb']:.3f}",
            _interval(row["bpb_difference_ci95"], 3),
            f"{row['base_chrf']:.1f}",
            f"{row['adapter_chrf']:.1f}",
            _interval(row["chrf_difference_ci95"], 1),
            ", ".join(f"{language} {value:+.3f}" for language, value in row["forgetting"].items()),
        )
    ranks = Table("rank", "DyLoRA", "LoRA at this rank", "ratio", box=box.SIMPLE_HEAD)
    for row in facts["by_rank"]:
        ranks.add_row(str(row["rank"]), f"{row['dylora_bpb']:.3f}", f"{row['lora_bpb']:.3f}", f"{row['ratio']:.3f}")
    after = Text(f"Intruder dimensions: {facts['intruders']}\nCut in half: {facts['prune']}")
    return Group(methods, ranks, after)


def _interval(ends: list[float], digits: int) -> str:
    return " to ".join(f"{end:+.{digits}f}" for end in ends)
