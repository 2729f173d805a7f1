"""A release describes itself: a data card that the Hub reads, and Croissant for machines; neither names anybody.

Croissant is checked against what version 1.0 requires
(https://docs.mlcommons.org/croissant/docs/croissant-spec.html, "Dataset-level information" and "Resources"): its own
reader, mlcroissant, needs a dozen packages more than this project has. docs/energy.md says when that last read one.
"""

import hashlib
import json

import pytest
from huggingface_hub import DatasetCard

from care.models import Purpose, Restriction
from care.restricting import put_label
from training.releases.models import Release
from training.releases.services import folder_of, freeze_release, labels_on, verify_release
from training.runs.services import queue_run
from training.runs.supervisor import configuration_of

PURPOSE = Purpose.TRAIN_NONCOMMERCIAL
REQUIRED = {"@context", "@type", "conformsTo", "description", "license", "name", "url", "creator", "datePublished"}
OF_A_FILE = {"@type", "@id", "name", "contentUrl", "encodingFormat", "sha256"}


def freeze(project, person, now):
    return freeze_release(project=project, purpose=PURPOSE, created_by=person, now=now)[0]


@pytest.fixture
def release(project, validated_corpus, esi, now):
    return freeze(project, esi, now)


@pytest.fixture
def croissant(release):
    return json.loads((folder_of(release) / "croissant.json").read_text())


def test_croissant_says_all_that_the_specification_requires(release, croissant, now):
    assert set(croissant) >= REQUIRED
    assert croissant["@type"] == "sc:Dataset"
    assert croissant["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert croissant["@context"]["cr"] == "http://mlcommons.org/croissant/"
    assert croissant["url"] == f"urn:sha256:{release.sha256}"
    assert croissant["datePublished"] == now.date().isoformat()


def test_its_files_are_the_releases_with_their_hashes(release, croissant):
    folder = folder_of(release)
    assert len(croissant["distribution"]) == 3
    for entry in croissant["distribution"]:
        assert set(entry) >= OF_A_FILE
        content = (folder / entry["contentUrl"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
        assert entry["contentSize"] == f"{len(content)} B"


def test_its_fields_are_columns_of_the_files_and_ids_are_unique(release, croissant):
    names = {entry["@id"] for entry in croissant["distribution"]}
    fields = [field for records in croissant["recordSet"] for field in records["field"]]
    assert len({field["@id"] for field in fields}) == len(fields)
    for field in fields:
        source = field["source"]
        assert source["fileObject"]["@id"] in names
        row = json.loads((folder_of(release) / source["fileObject"]["@id"]).read_text().splitlines()[0])
        value = row[source["extract"]["column"]]
        if "transform" in source:
            value = value[source["transform"]["jsonPath"].removeprefix("$.")]
        assert isinstance(value, str)


def test_the_hub_reads_the_data_card(release):
    card = DatasetCard.load(folder_of(release) / "README.md")
    assert (card.data.license, card.data.task_categories) == ("other", ["translation"])
    assert card.data.size_categories == ["n<1K"]
    (config,) = card.data.configs
    assert [one["split"] for one in config["data_files"]] == ["train", "validation", "test"]
    assert "**Health and law**" in card.text
    assert "None was placed on these words" in card.text


def test_nobody_and_no_words_are_in_what_describes_it(release):
    row = json.loads((folder_of(release) / "data" / "train.jsonl").read_text().splitlines()[0])
    secret = ["Ben", "Filipa", "Goran", row["source"], row["target"], *row["contributors"], *row["receipts"]]
    for name in ("README.md", "croissant.json"):
        text = (folder_of(release) / name).read_text()
        assert not [word for word in secret if word in text]


def test_labels_stand_in_the_cards_and_change_no_hash(release, project, esi, aroha, community, now):
    source = release.items.first().answer.task.item.source
    for kind, key, code in (("project", project.pk, "tka"), ("source", source.pk, "tkcl"), ("source", 0, "tkf")):
        put_label(community=community, kind=kind, key=str(key), code=code, placed_by=aroha, now=now)
    names = ["TK Attribution (TK A)", "TK Clan (TK CL)"]
    assert labels_on(release) == names
    assert freeze(project, esi, now) == release
    run = queue_run(release=release, started_by=esi, now=now)
    assert configuration_of(run, "base", "")["release"]["labels"] == "\n".join(names)

    Restriction.objects.filter(code="tkcl").update(lifted_at=now)
    Release.objects.update(withdrawn_since=now)
    again = freeze(project, esi, now)
    text = (folder_of(again) / "README.md").read_text()
    assert "- TK Attribution (TK A)\n" in text
    assert "TK Clan" not in text
    assert verify_release(again) == []
