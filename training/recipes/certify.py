"""Was this adapter made from this release, and from nothing else? Checked by hashes, then by training it again.

    python -m training.certify release-folder run-folder --base base-model-folder [--without ID-OR-FILE ...] [--json]

A release is the folder of a download (manifest.json, data/*.jsonl); a run folder holds report.json and adapter/. Needs
neither the site nor its database. First the files: do those of the release have the hashes of its manifest, does the
report name this release, its files, its sentences and its settings, does the adapter have the hash of the report, is
none of the ids given with --without in any of it? Then the adapter is trained again in a temporary folder, from the
base model, on the release's files, with the settings of the report. "Certified" is said only when all this holds and
the adapter that comes of it is the same, bit by bit. `docs/withdrawal-proof.md` says what that proves, and what not.

Exit codes: 0 everything that was asked holds, 1 something differs, 2 the command was not understood.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import tomli_w
from safetensors.torch import load_file

from training.recipes.base_model import sha256_of_file
from training.recipes.compose import compose
from training.recipes.configuration import METHODS, ConfigurationError, Recipe
from training.recipes.grouping import sha256_of_ids
from training.recipes.report import environment_of, sha256_of_tensors

SPLITS = ("train", "validation", "test")
WEIGHTS = ("adapter_model.safetensors", "model.safetensors")
# As a run of the site starts its recipe: nothing is fetched, nothing is compiled.
SURROUNDINGS = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TORCHDYNAMO_DISABLE": "1",
}
# What is measured of the adapter changes nothing in it, so as little as possible is.
MEASURED = {"max_items": 2, "generate_items": 1, "max_new_tokens": 1, "samples": 0, "shots": 0, "memorised": 0}

Facts = dict[str, Any]


class Unreadable(ValueError):
    """A file is missing or is not what it should be; the message is meant for people."""


@dataclass
class Certificate:
    """What was checked and what came of it. `certified` needs every check and a training that gave the same bytes."""

    release_sha256: str = ""
    adapter_sha256: str = ""
    retrained_sha256: str = ""
    certified: bool = False
    withdrawn: int = 0
    """How many ids were given that must be nowhere."""
    checked: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    beside: dict[str, str] = field(default_factory=dict)
    """Files in no release that it learnt from as well, and was trained again with: their hashes."""
    environment: dict[str, list[Any]] = field(default_factory=dict)
    """What is not here as it was there: name, then [there, here]."""

    def check(self, holds: bool, what: str, otherwise: str) -> None:
        """Note what holds, or what does not."""
        if holds:
            self.checked.append(what)
        else:
            self.failures.append(otherwise)


def certify(release: Path, run: Path, *, base: Path | None, without: Iterable[str] = (), retrain: bool) -> Certificate:
    """All checks; `base` is needed to `retrain`. Raises Unreadable."""
    found = Certificate()
    manifest = _json(release / "manifest.json")
    report = _json(_first(run / "report.json", run.parent / "report.json"))
    try:
        check_release(found, release, manifest)
        check_report(found, manifest, report, run)
        check_withdrawn(found, release, manifest, set(without))
        check_weights(found, run, report)
        check_shards(found, run, report)
        check_environment(found, report)
        if base is not None:
            stated = report["base"]["sha256"]
            here = sha256_of_file(_first(base / "model.safetensors"))
            different = f"The base model here ({here}) is not the report's ({stated or 'which names none'})."
            found.check(here == stated, "The base model is the one that the report names.", different)
        if retrain and base is not None and not found.failures:
            found.retrained_sha256 = train_again(release, report, base, beside_of(found, run, report))
            same = found.retrained_sha256 == found.adapter_sha256
            found.check(same, "Trained again, it is the same adapter, bit by bit.", _differs(found))
            found.certified = same
    except (KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"The manifest or the report is not as this version writes it ({error!r}).") from error
    return found


def check_release(found: Certificate, release: Path, manifest: Facts) -> None:
    """The files are the manifest's, and hold the rows that it names."""
    found.release_sha256 = sha256_of_file(release / "manifest.json")
    ids: list[str] = []
    judged: list[str] = []
    for name, facts in manifest["files"].items():
        path = release / name
        if ".." in Path(name).parts or not path.is_file():
            found.failures.append(f"The release has no file {name}.")
            continue
        whole = sha256_of_file(path) == facts["sha256"]
        found.check(whole, f"{name} has the hash of the manifest.", f"{name} was changed since the manifest was made.")
        (judged if path.name.endswith(".judged.jsonl") else ids).extend(_ids_in(path))
    named, taught = {str(item["id"]) for item in manifest["items"]}, _taught(manifest)
    what = f"The files hold the {len(taught)} sentences that the manifest names."
    holds = sorted(ids) == sorted(taught) and named.issuperset(judged)
    found.check(holds, what, "The files hold other sentences than the manifest names.")


def check_report(found: Certificate, manifest: Facts, report: Facts, run: Path) -> None:
    """The report is about this release: its hash, its files, its sentences; and about the settings that are shown."""
    named = report.get("release", {}).get("sha256", "")
    otherwise = f"The report names another release ({named})." if named else "The report names no release."
    found.check(named == found.release_sha256, "The report names this release.", otherwise)
    for split in SPLITS:
        stated, ids = report["data"][split], _taught(manifest, split)
        same_file = stated["sha256"] == manifest["files"][f"data/{split}.jsonl"]["sha256"]
        holds = same_file and stated.get("items_sha256") == sha256_of_ids(ids)
        found.check(holds, f"It learnt with this {split} file.", f"The report is about another {split} file.")
    settings = settings_of(report)
    # A download may hold the adapter and its report alone.
    config = next((path for path in (run / "config.toml", run.parent / "config.toml") if path.is_file()), None)
    if config is not None:
        try:
            shown = settings_of(tomllib.loads(config.read_text(encoding="utf-8")), method=report["method"])
        except tomllib.TOMLDecodeError as error:
            raise Unreadable(f"{config} is not TOML: {error}.") from error
        odd = [name for name, value in settings.items() if shown[name] != value]
        otherwise = f"config.toml and the report differ in: {', '.join(odd)}."
        found.check(not odd, "The settings in config.toml are those that ran.", otherwise)


def _taught(manifest: Facts, *splits: str) -> list[str]:
    """The ids of what is taught as it is; a counter-example is only among what people said of answers."""
    wanted = splits or SPLITS
    return [str(one["id"]) for one in manifest["items"] if one["split"] in wanted and one.get("is_good", True)]


def settings_of(facts: Facts, *, method: str = "") -> Facts:
    """The recipe's settings, defaults filled in. Raises Unreadable."""
    given = facts["recipe"] if "method" in facts["recipe"] or not method else {**facts["recipe"], "method": method}
    try:
        return asdict(Recipe.from_mapping({"recipe": given}).recipe)
    except ConfigurationError as error:
        raise Unreadable(f"The settings cannot be used: {error}") from error


def check_withdrawn(found: Certificate, release: Path, manifest: Facts, without: set[str]) -> None:
    """None of these ids is in the release; the report was found to be about the release's sentences and no others."""
    if not without:
        return
    found.withdrawn = len(without)
    held = {str(item["id"]) for item in manifest["items"]}
    for name in manifest["files"]:
        held |= set(_ids_in(release / name)) if (release / name).is_file() else set()
    still = sorted(without & held)
    otherwise = f"{len(still)} of {len(without)} withdrawn sentences are in the release, for example {still[:1]}."
    found.check(not still, f"None of {len(without)} withdrawn sentences is in the release.", otherwise)


def check_weights(found: Certificate, run: Path, report: Facts) -> None:
    """The adapter's own hash is the report's."""
    folders = (run / "adapter", run)
    weights = _first(*(folder / name for folder in folders for name in WEIGHTS))
    try:
        found.adapter_sha256 = sha256_of_tensors(load_file(weights))
    except Exception as error:  # safetensors raises an exception of its own that is not exported
        raise Unreadable(f"{weights} cannot be read: {error}") from error
    different = f"The adapter ({found.adapter_sha256}) is not the report's ({report['adapter_sha256']})."
    found.check(found.adapter_sha256 == report["adapter_sha256"], "The adapter has the hash of its report.", different)


def check_shards(found: Certificate, run: Path, report: Facts) -> None:
    """Where groups of contributors learnt apart and their adapters are there, they are the report's and this is their
    mean. Whether each learnt from its own rows alone, training again shows."""
    groups = report.get("shards", {}).get("groups", [])
    folders = [run / "shards" / str(one["shard"]) for one in groups]
    if not groups or not all((folder / WEIGHTS[0]).is_file() for folder in folders):
        return
    hashes = [sha256_of_tensors(load_file(folder / WEIGHTS[0])) for folder in folders]
    with tempfile.TemporaryDirectory(prefix="certify-") as place:
        mean = compose(folders, Path(place) / "mean")
    holds = hashes == [one["sha256"] for one in groups] and mean == report["adapter_sha256"]
    what = f"It is the mean of the {len(groups)} groups' adapters that the report names."
    found.check(holds, what, "The groups' adapters are not the report's, or it is not their mean.")


def check_environment(found: Certificate, report: Facts) -> None:
    """What is not here as it was where the adapter was made. No failure: the bytes decide."""
    there = report["environment"]
    here = {**environment_of(settings_of(report)["threads"]), "mkl_cbwr": there.get("mkl_cbwr", "")}
    found.environment = {
        name: [there.get(name), here.get(name)] for name in sorted({*there, *here}) if there.get(name) != here.get(name)
    }


def beside_of(found: Certificate, run: Path, report: Facts) -> dict[str, Path]:
    """The files that it learnt from beside the release, by the report's hashes: that it comes of these as well is what
    is certified then. Raises Unreadable where one is not in the run's folder."""
    files = {}
    for name, sha256 in report.get("beside_the_release", {}).items():
        path = _first_or_none(run / "beside" / f"{name}.jsonl", run.parent / "beside" / f"{name}.jsonl")
        if path is None:
            raise Unreadable(
                f"It learnt from a file that is in no release, too ({name}, SHA-256 {sha256}). Put it into the run's "
                f"folder as beside/{name}.jsonl."
            )
        if sha256_of_file(path) != sha256:
            raise Unreadable(f"{path} is not the file that it learnt from ({sha256}).")
        found.beside[name] = sha256
        files[name] = path
    return files


def train_again(release: Path, report: Facts, base: Path, beside: Mapping[str, Path]) -> str:
    """Train with the report's settings on the release's files, and those `beside` it; the new adapter's hash.

    Raises Unreadable.
    """
    if report["method"] not in METHODS:
        raise Unreadable(f"There is no method {report['method']!r} here.")
    with tempfile.TemporaryDirectory(prefix="certify-") as place:
        config = {
            "base": {"path": str(base.resolve()), "sha256": report["base"]["sha256"]},
            "data": {name: str(path.resolve()) for name, path in {**_data_files(release), **beside}.items()},
            "release": report["release"],
            "language": report["language"],
            # What is trained only to compare with would take as long again, and changes nothing.
            "recipe": {**report["recipe"], "shard_control": False},
            "evaluation": measured_of(report),
            "preference": report.get("preference", {}),
            "reading": report.get("reading", {}),
            # Runs from before replay had none.
            "mixing": report.get("mixing", {"replay": 0.0}),
        }
        path = Path(place) / "config.toml"
        path.write_text(tomli_w.dumps(config), encoding="utf-8")
        root = str(Path(__file__).resolve().parents[2])
        surroundings = {**os.environ, **SURROUNDINGS, "PYTHONPATH": root}
        surroundings.pop("MKL_CBWR", None)
        if mode := report["environment"].get("mkl_cbwr"):
            surroundings["MKL_CBWR"] = mode
        command = [sys.executable, "-m", f"training.recipes.{report['method']}", str(path)]
        done = subprocess.run(command, cwd=root, env=surroundings, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Unreadable(f"It could not be trained again: {done.stderr.strip()[-1000:]}")
        return str(_json(Path(place) / "report.json")["adapter_sha256"])


def measured_of(report: Facts) -> Facts:
    """As little as can be measured; where measurements decided when it ended, those on the validation split again."""
    if not report["recipe"].get("patience"):
        return MEASURED
    return {**MEASURED, "max_items": report["measured"]["max_items"]}


def _data_files(release: Path) -> dict[str, Path]:
    """As config.toml names them; what people said of answers only where the release holds it."""
    lessons = {split: release / "data" / f"{split}.jsonl" for split in SPLITS}
    judged = {f"judged_{split}": release / "data" / f"{split}.judged.jsonl" for split in ("train", "test")}
    return lessons | {name: path for name, path in judged.items() if path.is_file()}


def _differs(found: Certificate) -> str:
    said = f"Trained again, it is another adapter: {found.retrained_sha256} instead of {found.adapter_sha256}."
    if not found.environment:
        return f"{said} Packages, processor and threads are the same, so settings or data were others than is said."
    odd = "; ".join(f"{name} {there!r} there, {here!r} here" for name, (there, here) in found.environment.items())
    return f"{said} This may come from the environment, which is not the same: {odd}."


def _ids_in(path: Path) -> list[str]:
    try:
        return [str(json.loads(line)["id"]) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable(f"{path} holds a line that is no sentence of a release ({error!r}).") from error


def _json(path: Path) -> Facts:
    if not path.is_file():
        raise Unreadable(f"There is no {path}.")
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Unreadable(f"{path} is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise Unreadable(f"{path} is not a JSON object.")
    return value


def _first(*paths: Path) -> Path:
    """The first of these files that is there. Raises Unreadable."""
    found = _first_or_none(*paths)
    if found is None:
        raise Unreadable(f"There is no {paths[0]}.")
    return found


def _first_or_none(*paths: Path) -> Path | None:
    return next((path for path in paths if path.is_file()), None)


def withdrawn_ids(given: Sequence[str]) -> set[str]:
    """Ids as they are given: one by one, or in files, a line each; a line may be a row of JSON with an `id`."""
    ids: set[str] = set()
    for one in given:
        if not Path(one).is_file():
            ids.add(one)
            continue
        for line in Path(one).read_text(encoding="utf-8").split("\n"):
            if line.strip().startswith("{"):
                ids.add(str(json.loads(line)["id"]))
            elif line.strip():
                ids.add(line.strip())
    return ids


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.certify",
        description="Check that an adapter was made from a release, and train it again to see whether it is the same.",
    )
    parser.add_argument("release", type=Path, help="the folder of a release: manifest.json and data/")
    parser.add_argument("adapter", type=Path, help="the folder of a run: report.json and adapter/")
    parser.add_argument("--base", type=Path, help="the folder of the base model; needed to train again")
    parser.add_argument("--without", nargs="+", action="extend", default=[], metavar="ID_OR_FILE", help="withdrawn ids")
    parser.add_argument("--no-retrain", action="store_true", help="check the files only")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(arguments)
    if given.base is None and not given.no_retrain:
        parser.error("give the base model with --base, or check the files only with --no-retrain")
    try:
        without = withdrawn_ids(given.without)
        found = certify(given.release, given.adapter, base=given.base, without=without, retrain=not given.no_retrain)
    except (Unreadable, OSError, ValueError, KeyError) as error:
        found = Certificate(failures=[str(error)])
    print(json.dumps(asdict(found)) if given.json else for_people(found))  # noqa: T201
    return 1 if found.failures else 0


def for_people(found: Certificate) -> str:
    """The same in sentences, the verdict last."""
    lines = [f"  holds    {what}" for what in found.checked] + [f"  DIFFERS  {what}" for what in found.failures]
    lines += [f"  note     {name}: {there!r} there, {here!r} here" for name, (there, here) in found.environment.items()]
    if found.certified:
        beside = "".join(f", of beside/{name}.jsonl ({sha256})" for name, sha256 in found.beside.items())
        verdict = (
            f"certified: {found.adapter_sha256} comes of release {found.release_sha256}{beside} and of nothing else"
        )
    elif found.failures:
        verdict = "NOT certified"
    else:
        verdict = "The files belong together. Nothing was trained again, so nothing is certified."
    return "\n".join([*lines, verdict])


if __name__ == "__main__":
    sys.exit(main())
