"""Corpora that installed packages carry. Nothing is copied into this project: rows are read from the package."""

from __future__ import annotations

import re
from dataclasses import dataclass

import elotl.corpus

ELOTL_LICENCE = "MPL-2.0 (the elotl package); each document keeps its own authors"
TSUNKUA_ORIGIN, TSUNKUA_LANGUAGE = "elotl: tsunkua", "es"


@dataclass(frozen=True)
class PackagedRow:
    """One aligned pair: the sentence to translate, its published translation, and where it stands."""

    text: str
    translation: str
    variety: str
    document: str
    document_id: str


def read_tsunkua() -> list[PackagedRow]:
    """The Otomí-Spanish parallel corpus Tsunkua of the `elotl` package: 4 963 Spanish-Otomí pairs.

    Its rows are [spanish, otomi, variety, document title, document file, document id]; a variety reads
    "Otomí del Mezquital (ote)", with its ISO 639-3 code in brackets. One document may hold several varieties.
    """
    return [
        PackagedRow(text=spanish, translation=otomi, variety=_code(variety), document=document, document_id=identifier)
        for spanish, otomi, variety, document, _, identifier in elotl.corpus.load("tsunkua")
    ]


def _code(variety: str) -> str:
    found = re.search(r"\(([a-z]{3})\)", variety)
    # Acambay, in the Estado de México, stands in the corpus without a code of its own.
    return found.group(1) if found else ("ots" if "Edomex" in variety else "")
