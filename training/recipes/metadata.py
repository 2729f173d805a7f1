"""The head of a card, in YAML, as the Hugging Face Hub reads it. No torch here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

LICENCE = {"license": "other", "license_name": "community-consent"}
"""Nobody licensed the words to everybody: they may be used as the community and its members allow, and no longer."""


def with_head(facts: Mapping[str, Any], card: str) -> str:
    """The card below its head; facts that are empty are left out."""
    kept = {key: value for key, value in facts.items() if value not in (None, "", [], {})}
    return f"---\n{yaml.safe_dump(kept, sort_keys=False, allow_unicode=True)}---\n\n{card}"


def languages(tags: Iterable[str]) -> list[str]:
    """The languages of BCP 47 tags by their codes alone (`es` for `es-MX`), each once, in order."""
    return list(dict.fromkeys(tag.split("-")[0] for tag in tags if tag))


def consent_in(manifest: Mapping[str, Any], labels: Iterable[str]) -> dict[str, Any] | None:
    """For what the people behind a release allowed it, and on which terms, in numbers that name nobody; `labels` are
    those on its words. None where the manifest does not say it."""
    try:
        return {
            "community": manifest["community"]["name"],
            "project": manifest["project"]["title"],
            "kind": manifest["project"]["kind"],
            "purpose": manifest["query"]["purpose"],
            "contributors": manifest["counts"]["contributors"],
            "receipts": len({receipt for item in manifest["items"] for receipt in item["receipts"]}),
            "licences": manifest["licences"],
            "labels": list(labels),
        }
    except KeyError:
        return None


def consent_section(consent: Mapping[str, Any] | None) -> str:
    """What a card says of consent and labels; nothing for files of no release."""
    if consent is None:
        return ""
    licences = "".join(f"- Terms of source texts: {name}: {number}\n" for name, number in consent["licences"].items())
    return f"""
## Consent

Everybody whose words these are allowed them for this purpose. Whoever takes words back is out of the next release, and
what was made with them is taken out of use.

- Community: {consent["community"]}
- Purpose: `{consent["purpose"]}`
- Contributors: {consent["contributors"]}; consent receipts: {consent["receipts"]}
{licences}{labels_section(consent["labels"])}"""


# What each file that is learnt from beside a release holds.
BESIDE = {"text": "Plain text", "related": "Lessons in other languages", "synthetic": "Rows that a machine wrote"}


def beside_section(report: Mapping[str, Any]) -> str:
    """What a card says of what was learnt from beside the release; nothing where there was nothing."""
    files = [f"{BESIDE[name]}: SHA-256 `{sha256}`" for name, sha256 in (report.get("beside_the_release") or {}).items()]
    lines = "".join(f"- {line}\n" for line in [*files, *report.get("beside_told", [])])
    return f"\n## What it learnt from beside the release\n\n{lines}" if lines else ""


def labels_section(labels: Iterable[str]) -> str:
    """The Local Contexts labels and notices on the words, by name; their texts are at localcontexts.org."""
    found = "".join(f"- {name}\n" for name in labels) or "None was placed on these words when this was written.\n"
    return f"\n## Local Contexts labels\n\n{found}"


HARM = """## Where it can do harm

- **Health and law**: no dose, diagnosis, contract, asylum or court matter may rest on it; it is no medical or legal
  advice. It is fluent where it is wrong, and a reader without another source cannot tell. Such texts need a qualified
  interpreter.
- **The language**: published as if people had said it, its text becomes what others learn the language from.
- **People**: it may write slights about groups, and it repeats what is in its data. Do not use it to judge, rank or
  watch anybody, nor to write in somebody's name.
- **The community**: what is sacred, restricted or seasonal is not known to it. Ask the community before you deploy it.
"""
