"""Corpora that installed packages carry. Nothing is copied into this project: rows are read from the package."""

from __future__ import annotations

from dataclasses import dataclass

import elotl.corpus

ELOTL_LICENCE = "MPL-2.0 (the elotl package); each document keeps its own authors"


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

    Its rows are [spanish, otomi, variety as ISO 639-3, document title, document file, document id].
    """
    return [
        PackagedRow(text=spanish, translation=otomi, variety=variety, document=document, document_id=identifier)
        for spanish, otomi, variety, document, _, identifier in elotl.corpus.load("tsunkua")
    ]
