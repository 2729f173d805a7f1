"""The interface's languages: finding every sentence in the code, bringing the .po files up to date, compiling them.

`python -m wordhearth.catalogues` does all three and names what is not translated; with `--compile` it only compiles
what is older than its .po file. It needs no settings and no gettext tools, so that any clean machine can run it.
"""

from __future__ import annotations

import argparse
import ast
import os
import sys
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from annotation.aggregation.explanation import every_sentence
from annotation.text.findings import TEMPLATES

ROOT = Path(__file__).resolve().parent.parent.parent
LOCALE = ROOT / "frontend" / "locale"
CODE = ("platform", "annotation", "training", "frontend")
PAGES = ("frontend/templates", "annotation/kinds")
# The first words of a call are a sentence for people: of these functions, and of every class that descends from these.
FUNCTIONS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
    "refuse": (2,),
    "Because": None,
}
ERRORS = ("Refusal", "Worded")


def languages() -> list[str]:
    """The languages that have a catalogue, beside the English of the code."""
    return sorted(folder.name for folder in LOCALE.iterdir() if folder.is_dir())


def path_of(language: str) -> Path:
    """The language's .po file."""
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> Catalog:
    """The language's catalogue as it stands in the repository."""
    with path_of(language).open("rb") as file:
        return read_po(file, locale=language)


def extracted() -> Catalog:
    """Every sentence of the interface, in the order of the files that say it."""
    found = Catalog(charset="utf-8")
    python = [path for name in CODE for path in sorted((ROOT / name).rglob("*.py")) if "migrations" not in path.parts]
    keywords = {**FUNCTIONS, **dict.fromkeys(names_of_errors(python))}
    for path in python:
        _add(found, path, path.read_bytes(), keywords)
    for path in sorted(path for name in PAGES for path in (ROOT / name).rglob("*") if path.suffix in {".html", ".txt"}):
        _add(found, path, _as_python(path).encode(), keywords)
    for origin, sentences in (
        ("annotation/aggregation/explanation.py", every_sentence()),
        ("annotation/text/findings.py", [words for code, words in TEMPLATES.items() if code != "rule"]),
    ):
        for sentence in sentences:
            found.add(sentence, locations=[(origin, 0)])
    return found


def _add(found: Catalog, path: Path, source: bytes, keywords: dict[str, object]) -> None:
    for _line, message, comments, context in extract("python", BytesIO(source), keywords, ["Translators:"]):
        place = [(path.relative_to(ROOT).as_posix(), 0)]
        found.add(message, locations=place, auto_comments=comments, context=context)


def names_of_errors(python: list[Path]) -> set[str]:
    """The classes, by name, whose first argument is a sentence."""
    classes = [
        node for path in python for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.ClassDef)
    ]
    bases = {node.name: {base.id for base in node.bases if isinstance(base, ast.Name)} for node in classes}
    names = set(ERRORS)
    while more := {name for name, above in bases.items() if above & names} - names:
        names |= more
    return names


def _as_python(path: Path) -> str:
    """A template as Django's own tools read it for extraction; indentation would mean something to Python."""
    return "\n".join(line.strip() for line in templatize(path.read_text(encoding="utf-8")).splitlines())


def merged(language: str, template: Catalog) -> Catalog:
    """The catalogue with every sentence of the code in it, and none that nobody says any more."""
    catalogue = read(language)
    template.creation_date = catalogue.creation_date
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    return catalogue


def untranslated(catalogue: Catalog) -> Iterator[Message]:
    """The messages without a translation, with an unsure one, or with a plural form missing."""
    for message in catalogue:
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.id and (message.fuzzy or not all(strings)):
            yield message


def write(language: str, catalogue: Catalog) -> None:
    """Store the catalogue as text, without line numbers, so that changes are small."""
    with path_of(language).open("wb") as file:
        write_po(file, catalogue, width=0, include_lineno=False, ignore_obsolete=True)


def compile_catalogues() -> None:
    """Make the .mo file that Django reads, for each .po file that is newer than its own."""
    for language in languages():
        source = path_of(language)
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        # Tests in several processes may compile at once: each file appears whole or not at all.
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
            write_mo(file, read(language))
        Path(file.name).chmod(0o644)
        os.replace(file.name, target)


def main() -> int:
    """Bring the catalogues up to date; returns 1 while a sentence waits for its translation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compile", action="store_true", help="only compile, where a .po file is newer")
    waiting = 0
    if not parser.parse_args().compile:
        template = extracted()
        for language in languages():
            catalogue = merged(language, template)
            write(language, catalogue)
            for message in untranslated(catalogue):
                waiting += 1
                sys.stdout.write(f"{language}: {message.id!r}\n")
        sys.stdout.write(f"{len(template)} sentences; {waiting} translations are missing.\n")
    compile_catalogues()
    return 1 if waiting else 0


if __name__ == "__main__":
    sys.exit(main())
