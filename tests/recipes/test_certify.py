"""Is an adapter what its report says, of this release alone? Every kind of lie is told once, and found."""

import hashlib
import json
import shutil

import pytest
import tomli_w
from safetensors.torch import load_file, save_file

from tests.recipes.conftest import lesson
from training.recipes import certify, lora
from training.recipes.base_model import sha256_of_file
from training.recipes.grouping import sha256_of_ids
from training.releases.writing import data_files, manifest_of, write_folder

SPLITS = {"train": 12, "validation": 3, "test": 3}
RECIPE = {"rank": 2, "alpha": 4, "learning_rate": 0.01, "epochs": 1, "threads": 1, "method": "lora", "batch_size": 4}


def write_release(folder, *, without=()):
    """A release folder as it is downloaded; its rows are the same, but those left out."""
    splits = {f"{split}-{n}": split for split, count in SPLITS.items() for n in range(count)}
    rows = [
        {"id": one, "source": one, "lesson": lesson(one, f"ñu̱ {one[-1] * 3}"), "licence": "", "variety": "",
         "contributors": [one], "receipts": [one], "document": one}
        for one in splits
        if one not in without
    ]  # fmt: skip
    kept = {row["id"]: splits[row["id"]] for row in rows}
    files = data_files(rows, kept)
    manifest = json.dumps(manifest_of(head={}, rows=rows, splits=kept, files=files), sort_keys=True).encode()
    write_folder(folder, files=files, manifest=manifest, beside={})
    return folder


def train(folder, release, base, more=None):
    """A run on the release; its exit code."""
    folder.mkdir()
    config = {
        "base": {"path": str(base), "sha256": sha256_of_file(base / "model.safetensors")},
        "release": {"sha256": sha256_of_file(release / "manifest.json")},
        "data": {split: str(release / "data" / f"{split}.jsonl") for split in SPLITS},
        "language": {"source_name": "Spanish", "target_name": "Test"},
        "recipe": RECIPE,
        "evaluation": certify.MEASURED,
        **(more or {}),
    }
    (folder / "config.toml").write_text(tomli_w.dumps(config))
    return lora.main(folder / "config.toml")


@pytest.fixture(scope="module")
def whole(tiny_base, tmp_path_factory):
    """A folder with a release and a run on it, which nobody changes."""
    folder = tmp_path_factory.mktemp("whole")
    assert train(folder / "run", write_release(folder / "release"), tiny_base) == 0
    return folder


@pytest.fixture
def made(whole, tmp_path):
    """The same to be tampered with: the release and the run."""
    shutil.copytree(whole, tmp_path / "made")
    return tmp_path / "made" / "release", tmp_path / "made" / "run"


def check(made, capsys, *arguments):
    """The exit code and what was found, without training."""
    code = certify.main([*map(str, made), "--no-retrain", "--json", *arguments])
    return code, json.loads(capsys.readouterr().out)


def change(path, **values):
    facts = json.loads(path.read_text())
    path.write_text(json.dumps({**facts, **values}))


def test_files_that_belong_together_hold_and_certify_nothing_by_themselves(made, capsys):
    code, found = check(made, capsys)
    assert (code, found["failures"], found["certified"]) == (0, [], False)
    assert found["release_sha256"] == hashlib.sha256((made[0] / "manifest.json").read_bytes()).hexdigest()
    assert certify.main([*map(str, made), "--no-retrain"]) == 0
    assert "nothing is certified" in capsys.readouterr().out


def test_trained_again_it_is_the_same_and_only_then_certified(made, tiny_base, capsys):
    assert certify.main([*map(str, made), "--base", str(tiny_base), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["certified"]
    assert found["retrained_sha256"] == found["adapter_sha256"]


def test_an_adapter_that_learnt_something_else_is_not_certified(made, tiny_base, capsys, monkeypatch):
    """Every hash in the report is made to fit: only training it again finds out."""
    _, run = made
    honest = json.loads((run / "report.json").read_text())["adapter_sha256"]
    # The test above trains for real and comes to this.
    monkeypatch.setattr(certify, "train_again", lambda release, report, base, beside: honest)
    weights = run / "adapter" / "adapter_model.safetensors"
    matrices = {name: matrix + 1e-3 for name, matrix in load_file(weights).items()}
    save_file(matrices, weights)
    change(run / "report.json", adapter_sha256=certify.sha256_of_tensors(matrices))
    assert check(made, capsys)[0] == 0

    assert certify.main([*map(str, made), "--base", str(tiny_base)]) == 1
    said = capsys.readouterr().out
    assert "another adapter" in said
    assert said.rstrip().endswith("NOT certified")


def lie_in_a_file(release, run):
    path = release / "data" / "train.jsonl"
    path.write_text(path.read_text().replace("aaa", "bbb").replace("111", "222"))


def lie_in_the_manifest(release, run):
    facts = json.loads((release / "manifest.json").read_text())
    change(release / "manifest.json", items=facts["items"][1:])


def another_release(release, run):
    shutil.rmtree(release)
    write_release(release, without={"train-3"})


def no_release(release, run):
    change(run / "report.json", release={})


def other_settings(release, run):
    change(run / "report.json", recipe={**RECIPE, "epochs": 2})


def other_weights(release, run):
    weights = run / "adapter" / "adapter_model.safetensors"
    save_file({name: matrix * 2 for name, matrix in load_file(weights).items()}, weights)


def other_sentences(release, run):
    data = json.loads((run / "report.json").read_text())["data"]
    change(run / "report.json", data={**data, "train": {**data["train"], "items_sha256": sha256_of_ids(["x"])}})


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        (lie_in_a_file, "data/train.jsonl was changed"),
        (lie_in_the_manifest, "The files hold other sentences than the manifest names."),
        (another_release, "The report names another release"),
        (no_release, "The report names no release."),
        (other_settings, "config.toml and the report differ in: epochs."),
        (other_weights, "is not the report's"),
        (other_sentences, "The report is about another train file."),
        (lambda release, run: (run / "report.json").unlink(), "There is no"),
        (lambda release, run: (run / "report.json").write_text("{}"), "not as this version writes it"),
        (lambda release, run: (release / "manifest.json").write_text("["), "is not JSON"),
        (lambda release, run: (release / "data" / "test.jsonl").unlink(), "The release has no file data/test.jsonl."),
        (lambda release, run: (run / "adapter" / "adapter_model.safetensors").write_bytes(b"x"), "cannot be read"),
    ],
)
def test_a_lie_is_named(lie, said, made, capsys):
    lie(*made)
    code, found = check(made, capsys)
    assert code == 1
    assert said in " ".join(found["failures"])


def test_withdrawn_ids_are_looked_for_one_by_one_or_in_files(made, capsys, tmp_path):
    ids = tmp_path / "withdrawn"
    ids.write_text('gone-1\n{"id": "gone-2"}\n\n')
    code, found = check(made, capsys, "--without", str(ids), "gone-3")
    assert (code, found["withdrawn"]) == (0, 3)
    ids.write_text("train-7\n")
    code, found = check(made, capsys, "--without", "gone-1", str(ids))
    assert code == 1
    assert found["failures"] == ["1 of 2 withdrawn sentences are in the release, for example ['train-7']."]


def test_another_base_is_named_and_nothing_is_trained(made, tiny_base, tmp_path, capsys):
    base = tmp_path / "base"
    shutil.copytree(tiny_base, base)
    (base / "model.safetensors").write_bytes(b"other")
    assert certify.main([*map(str, made), "--base", str(base), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert "The base model here" in found["failures"][0]
    assert found["retrained_sha256"] == ""


def test_another_environment_is_noted_and_is_no_failure(made, capsys):
    environment = json.loads((made[1] / "report.json").read_text())["environment"]
    change(made[1] / "report.json", environment={**environment, "torch": "1.0"})
    code, found = check(made, capsys)
    assert code == 0
    assert found["environment"]["torch"][0] == "1.0"


def test_a_run_that_names_a_release_refuses_other_files(tmp_path, tiny_base, capsys):
    release = write_release(tmp_path / "release")
    lie_in_a_file(release, None)
    assert train(tmp_path / "one", release, tiny_base) == 1
    assert "The training file is not the one" in capsys.readouterr().err


def test_without_a_base_it_says_what_to_do(made):
    with pytest.raises(SystemExit) as ended:
        certify.main([*map(str, made)])
    assert ended.value.code == 2


def test_trained_without_a_sentence_it_is_the_adapter_that_never_saw_it(whole, tiny_base, tmp_path):
    release = write_release(tmp_path / "release", without={"train-3"})
    assert train(tmp_path / "again", release, tiny_base) == 0
    rows = [line for line in (whole / "release" / "data" / "train.jsonl").read_text().splitlines() if line]
    (tmp_path / "train.jsonl").write_text("\n".join(row for row in rows[::-1] if json.loads(row)["id"] != "train-3"))
    data = {split: str(release / "data" / f"{split}.jsonl") for split in SPLITS}
    data["train"] = str(tmp_path / "train.jsonl")
    assert train(tmp_path / "never", release, tiny_base, {"data": data, "release": {}}) == 0

    again, never, before = (
        json.loads((folder / "report.json").read_text())["adapter_sha256"]
        for folder in (tmp_path / "again", tmp_path / "never", whole / "run")
    )
    assert again == never != before


def test_what_was_read_beside_the_release_is_certified_with_it_or_not_at_all(tiny_base, tmp_path, capsys):
    release, run = write_release(tmp_path / "release"), tmp_path / "run"
    (tmp_path / "given.jsonl").write_text(
        json.dumps({"id": "r", "language": "nah", "lesson": lesson("dos", "uno")}) + "\n"
    )
    data = {split: str(release / "data" / f"{split}.jsonl") for split in SPLITS}
    told = "Made-up lessons (nah). From: nowhere. Terms: CC0."
    more = {
        "data": {**data, "related": str(tmp_path / "given.jsonl")},
        "release": {"sha256": sha256_of_file(release / "manifest.json"), "beside": told},
    }
    assert train(run, release, tiny_base, more) == 0
    report, card = json.loads((run / "report.json").read_text()), (run / "README.md").read_text()
    sha256 = sha256_of_file(tmp_path / "given.jsonl")
    assert report["beside_the_release"] == {"related": sha256}
    assert told in card
    assert sha256 in card
    arguments = [str(release), str(run), "--base", str(tiny_base)]

    assert certify.main(arguments) == 1
    assert "Put it into the run's folder as beside/related.jsonl" in capsys.readouterr().out
    (run / "beside").mkdir()
    (run / "beside" / "related.jsonl").write_text("{}\n")
    assert certify.main(arguments) == 1
    assert "is not the file that it learnt from" in capsys.readouterr().out
    shutil.copyfile(tmp_path / "given.jsonl", run / "beside" / "related.jsonl")
    assert certify.main(arguments) == 0
    assert f"of beside/related.jsonl ({sha256}) and of nothing else" in capsys.readouterr().out
