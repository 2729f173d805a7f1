"""How a release describes itself to others: the data card, and croissant.json for machines that look for data.

Both follow from the manifest, the labels on the words and the day; the manifest's hash does not depend on them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from annotation.kinds import kind_named
from training.recipes.metadata import HARM, LICENCE, labels_section, languages, with_head

CROISSANT = "http://mlcommons.org/croissant/1.0"
# What the Hub calls kinds of task.
TASKS = {"translate": "translation", "label": "token-classification", "classify": "text-classification"}
COLUMNS = ("id", "kind", "source_language", "target_language", "variety", "document", "licence", "began_with")
CONSENTED = (
    "They were written and checked by members of the community, each under the author's consent for the purpose "
    "{purpose}, and may be used only while that consent holds."
)
# The context that the specification recommends: its own terms by their names alone, and what is special about a few.
TERMS = (
    "citeAs column equivalentProperty extract field fileProperty fileObject fileSet format includes isLiveDataset "
    "jsonPath key md5 parentField path recordSet references regex repeated replace samplingRate separator source "
    "subField transform"
)
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in TERMS.split()},
}


def name_of(manifest: dict[str, Any]) -> str:
    """What the release is called."""
    return f"{manifest['community']['name']}: {manifest['project']['title']}"


def head_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """What the Hub reads: https://huggingface.co/docs/hub/datasets-cards."""
    kind, counts = manifest["project"]["kind"], manifest["counts"]
    splits = [name for name in ("train", "validation", "test") if counts[name]]
    return {
        "language": languages([manifest["source_language"]["tag"], manifest["target_language"]["tag"]]),
        **LICENCE,
        "pretty_name": name_of(manifest),
        "task_categories": [TASKS.get(kind, "text-generation")],
        "size_categories": [size_of(sum(counts[name] for name in splits))],
        "multilinguality": ["translation" if kind == "translate" else "monolingual"],
        "annotations_creators": ["crowdsourced"],
        "language_creators": ["crowdsourced"],
        "tags": ["low-resource", "consent", kind],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": name, "path": f"data/{name}.jsonl"} for name in splits],
            }
        ],
    }


def size_of(rows: int) -> str:
    """The Hub's word for so many rows."""
    sizes = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}
    return next((word for most, word in sizes.items() if rows < most), "n>1M")


def _what_it_holds(manifest: dict[str, Any]) -> str:
    source, target, kind = manifest["source_language"], manifest["target_language"], manifest["project"]["kind"]
    into = f"{target['name']} ({target['tag']})"
    if kind == "translate":
        return f"Sentences in {source['name']} with their translations into {into}."
    return f"Answers of the kind `{kind}` in {into}, with what was asked in {source['name']}."


def _judged(counts: dict[str, int]) -> str:
    if "judged" not in counts:
        return ""
    return (
        f"- data/*.judged.jsonl: {counts['judged']} lines of what people said of answers. Answers that were turned\n"
        "  down are in them as counter-examples, and nowhere else. A vote has its voter's pseudonym, and how likely\n"
        "  it is right.\n"
    )


def card_of(manifest: dict[str, Any], sha256: str, labels: Sequence[str] = ()) -> str:
    """The data card (README.md) for people, with the head that the Hugging Face Hub reads."""
    counts, copies = manifest["counts"], len(manifest.get("withheld_as_copies", []))
    judged = _judged(counts)
    nearly = (
        f" {copies} of them are nearly the same as\n  a training sentence; the manifest names the pairs."
        if copies
        else ""
    )
    licences = "\n".join(f"- {name}: {number} sentences" for name, number in manifest["licences"].items())
    varieties = ", ".join(f"{name} ({number})" for name, number in manifest["varieties"].items())
    card = f"""# {name_of(manifest)}

{_what_it_holds(manifest)} They were written and checked by
members of the community, each under the author's consent for the purpose `{manifest["query"]["purpose"]}`.

| split | sentences |
|---|---|
| train | {counts["train"]} |
| validation | {counts["validation"]} |
| test | {counts["test"]} |

- No document and no contributor is in two splits; {counts["withheld_to_prevent_leaks"]} sentences were withheld
  for that.{nearly}
{judged}- {counts["contributors"]} contributors (by pseudonym), {counts["documents"]} documents. Varieties: {varieties}.
- Manifest SHA-256: `{sha256}`. It names the consent receipt of every sentence.

## Terms of the source texts

{licences}
{labels_section(labels)}
## Use

Only for the purpose above, and only while the consent holds: check with the community that no words were
withdrawn since. The manifest says which rows to leave out by their ids. A CARE-supporting platform made this
dataset; the community's stewards decide on its use.

{HARM}"""
    return with_head(head_of(manifest), card)


def croissant_of(manifest: dict[str, Any], sha256: str, labels: Sequence[str], made_on: date) -> dict[str, Any]:
    """The release in MLCommons' Croissant 1.0 (https://docs.mlcommons.org/croissant/docs/croissant-spec.html): what it
    is, each file with its hash, and the columns that all kinds of task have.

    A release has no address of its own, so `url` is its hash as a URN.
    """
    # What people said of answers, data/*.judged.jsonl, has another form.
    answers = [name for name in manifest["files"] if ".judged." not in name]
    has_lessons = kind_named(manifest["project"]["kind"]).lesson is not None
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CROISSANT,
        "name": name_of(manifest),
        "description": f"{_what_it_holds(manifest)} {CONSENTED.format(purpose=manifest['query']['purpose'])}",
        "url": f"urn:sha256:{sha256}",
        "version": "1.0.0",
        "citeAs": f"{name_of(manifest)}. Release with the manifest {sha256}.",
        "datePublished": made_on.isoformat(),
        "license": {"@type": "CreativeWork", "name": LICENCE["license_name"]},
        "creator": {"@type": "Organization", "name": manifest["community"]["name"]},
        "inLanguage": [manifest["source_language"]["tag"], manifest["target_language"]["tag"]],
        "keywords": [manifest["project"]["kind"], "low-resource", "consent", *labels],
        "isLiveDataset": False,
        "rai:dataCollection": CONSENTED.format(purpose=manifest["query"]["purpose"]),
        "rai:personalSensitiveInformation": "Contributors are pseudonyms; what they wrote may be personal.",
        "rai:dataLimitations": "Only for its purpose and while consent holds; not for health, law or judging people.",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": name,
                "name": name.removeprefix("data/"),
                "contentUrl": name,
                "encodingFormat": "application/jsonlines",
                "contentSize": f"{facts['bytes']} B",
                "sha256": facts["sha256"],
            }
            for name, facts in manifest["files"].items()
        ],
        "recordSet": [_records(name, has_lessons=has_lessons) for name in answers],
    }


def _records(file: str, *, has_lessons: bool) -> dict[str, Any]:
    """The columns of one of the files; what a model is asked and should say is taken out of `lesson`."""
    split = file.removeprefix("data/").removesuffix(".jsonl")
    lesson = ("system", "request", "completion") if has_lessons else ()
    parts = [*((name, name, "") for name in COLUMNS), *((name, "lesson", f"$.{name}") for name in lesson)]
    return {
        "@type": "cr:RecordSet",
        "@id": split,
        "name": split,
        "key": {"@id": f"{split}/id"},
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{split}/{name}",
                "name": name,
                "dataType": "sc:Text",
                "source": {
                    "fileObject": {"@id": file},
                    "extract": {"column": column},
                    **({"transform": {"jsonPath": path}} if path else {}),
                },
            }
            for name, column, path in parts
        ],
    }


def described(manifest: dict[str, Any], sha256: str, labels: Sequence[str], made_on: date) -> dict[str, bytes]:
    """The files that describe a release, by name."""
    croissant = json.dumps(croissant_of(manifest, sha256, labels, made_on), indent=1, ensure_ascii=False)
    return {
        "README.md": card_of(manifest, sha256, labels).encode(),
        "croissant.json": f"{croissant}\n".encode(),
    }
