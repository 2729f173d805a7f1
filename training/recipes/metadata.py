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
