"""The interface is whole in every language it offers: each sentence is found, translated, and shown.

After writing new sentences, `script/translate` puts them into frontend/locale/*/LC_MESSAGES/django.po and names them.
"""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
from babel.messages.catalog import Catalog, Message
from django.apps import apps
from django.conf import settings
from django.db.models import TextChoices
from django.template.base import Lexer, TokenType
from django.test import Client
from django.utils.functional import Promise

from people.models import Person, Role
from people.services import grant_role
from tests.conftest import NOW
from tests.guards.tree import shipped_python, shown
from wordhearth import catalogues

LANGUAGES = catalogues.languages()
PLACEHOLDER = re.compile(r"%\(\w+\)(?:\.\d)?[a-z]|\{\w+\}|</?\w+>")


@pytest.fixture(scope="module")
def template() -> Catalog:
    """What the code says now."""
    return catalogues.extracted()


def strings_of(message: Message) -> tuple[str, ...]:
    return message.string if isinstance(message.string, tuple) else (message.string,)


def ids_of(message: Message) -> tuple[str, ...]:
    return message.id if isinstance(message.id, tuple) else (message.id,)


def test_every_language_that_is_offered_has_a_catalogue() -> None:
    assert [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE] == ["es", "fr", "ar"]
    assert LANGUAGES == ["ar", "es", "fr"]


def test_extraction_finds_sentences_wherever_they_are_said(template: Catalog) -> None:
    for sentence in (
        "Nobody reviews a sentence that they wrote or corrected themselves.",  # a refusal
        "A packet holds 1 to %(most)s tasks.",  # a refusal with a value
        "Nothing was written.",  # an error of a pure package
        "Not a JSON object.",  # a line of an upload
        "Holds personal data",  # a choice
        "People say a sentence in another language.",  # a kind of task
        "One answer is enough for a task.",  # a rule explained
        "Everything is in capital letters.",  # a warning
        "Go on with what comes next",  # a page
    ):
        assert sentence in template, sentence


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_translated(template: Catalog, language: str) -> None:
    catalogue = catalogues.merged(language, template)

    missing = [message.id for message in catalogues.untranslated(catalogue)]

    assert not missing, f"run script/translate, then fill in {shown(catalogues.path_of(language))}: {missing}"
    assert {message.id for message in catalogues.read(language)} == {message.id for message in catalogue}


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_fill_in_the_same_values(language: str) -> None:
    catalogue = catalogues.read(language)
    wrong = []
    for message in catalogue:
        if not message.id:
            continue
        wanted, known = (
            set(PLACEHOLDER.findall(ids_of(message)[-1])),
            set(PLACEHOLDER.findall(" ".join(ids_of(message)))),
        )
        forms = [set(PLACEHOLDER.findall(string)) for string in strings_of(message)]
        # The forms for none, one and two may say the number in words.
        if forms[-1] != wanted or not all(form <= known for form in forms):
            wrong.append(message.id)
    assert not wrong
    assert not [(message.id, problems) for message, problems in catalogue.check() if problems]


@pytest.mark.parametrize(("language", "forms"), [("es", 2), ("fr", 2), ("ar", 6)], ids=["Spanish", "French", "Arabic"])
def test_every_plural_has_all_its_forms(language: str, forms: int) -> None:
    plurals = [message for message in catalogues.read(language) if isinstance(message.id, tuple)]

    assert len(plurals) > 10
    assert {len(strings_of(message)) for message in plurals} == {forms}


def test_the_compiled_catalogues_are_not_older_than_their_sources() -> None:
    for language in LANGUAGES:
        source = catalogues.path_of(language)
        assert source.with_suffix(".mo").stat().st_mtime >= source.stat().st_mtime


def test_no_error_for_people_is_glued_together_where_it_is_raised() -> None:
    """An f-string, or the `str` of another error, is lost to the extraction: template and values are passed on."""
    names = catalogues.names_of_errors(shipped_python())
    assert {"Invalid", "UnusableText", "RuleError", "NothingToDo", "CannotSplit"} <= names
    glued = []
    for path in shipped_python():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.func, ast.Name):
                continue
            if node.func.id in names and isinstance(node.args[0], ast.JoinedStr | ast.BinOp | ast.Call):
                glued.append(f"{shown(path)}:{node.lineno}")
    assert not glued


def test_the_labels_of_all_choices_wait_for_the_language_of_the_reader() -> None:
    ours = {
        config.name for config in apps.get_app_configs() if Path(config.path) in {p.parent for p in shipped_python()}
    }
    choices = [kind for kind in TextChoices.__subclasses__() if kind.__module__.removesuffix(".models") in ours]

    assert len(choices) > 10
    assert not [str(member) for kind in choices for member in kind if not isinstance(member.label, Promise)]


# Text of templates that is the same in every language, and why.
SAME_EVERYWHERE = {
    "Wordhearth": "the name",
    "QLoRA": "the method's name",
    "CO₂": "a formula",
    "SHA-256": "the name of a hash",
    "MB": "a unit",
    "Wh": "a unit",
    "g": "a unit",
}
SPOKEN = {"aria-label", "title", "alt", "placeholder", "value"}


class Literals(HTMLParser):
    """Collects what a reader would see or hear of the literal text of a template."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in {"script", "style"}
        hidden = dict(attrs).get("type") == "hidden" or tag in {"button", "option", "input"}
        self.found += [value or "" for name, value in attrs if name in SPOKEN and not (name == "value" and hidden)]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found.append(data)


def literals_of(source: str) -> Iterator[str]:
    """Words that stand in a template outside every translation."""
    text, passing_over = [], False
    for token in Lexer(source).tokenize():
        name = token.contents.split()[0] if token.token_type is TokenType.BLOCK else ""
        if name in {"blocktranslate", "blocktrans", "comment"} or token.contents == "block main_class":
            passing_over = True
        elif name in {"endblocktranslate", "endblocktrans", "endcomment", "endblock"}:
            passing_over = False
        elif token.token_type is TokenType.TEXT and not passing_over:
            text.append(token.contents)
        elif token.token_type is not TokenType.TEXT and not passing_over:
            text.append("\N{OBJECT REPLACEMENT CHARACTER}")
    parser = Literals()
    # A part may hold attributes of a tag that stands in the page around it.
    parser.feed(re.sub(r"\bdata-[a-z-]+(?=[ =])", "", "".join(text)))
    for found in parser.found:
        for piece in found.split("\N{OBJECT REPLACEMENT CHARACTER}"):
            words = piece.strip(' \n"=·:,.;()%×«»“”…→←-—/+')
            if re.search(r"[^\W\d_]", words) and words not in SAME_EVERYWHERE:
                yield words


def test_templates_say_nothing_that_is_not_translated() -> None:
    pages = [path for name in catalogues.PAGES for path in (catalogues.ROOT / name).rglob("*.html")]
    assert len(pages) > 70

    said = {shown(path): list(literals_of(path.read_text(encoding="utf-8"))) for path in pages}

    assert not {name: words for name, words in said.items() if words}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Hello</p>", ["Hello"]),
        ('<p aria-label="Hello">{{ name }}</p>', ["Hello"]),
        ('{% if x %}{% translate "Hello" %}{% else %}Bye{% endif %}', ["Bye"]),
        ("{% blocktranslate %}Hello{% endblocktranslate %}", []),
        ('<p class="lead">{{ a }} · {{ b }}</p>', []),
    ],
)
def test_the_search_for_literals_sees_what_a_reader_sees(source: str, found: list[str]) -> None:
    assert list(literals_of(source)) == found


# Names and sentences of the test's community, whose language is nobody's business but theirs.
DATA = (
    r"Test community|Test project|Second project|How your words are used\.|Otomí|Spanish|Mezquital|Norma|Good\.|CC0"
    r"|Estado de México|frase \d del texto [ABC]|traducción \w+( ñäʼ)?|una frase|el texto humano|(base|adapter) writes"
    r"|test\.tsv|aroha|ben|filipa|goran|chen|esi|English|Español|Français|smollm2\S*|python|cpu|device|stated"
    r"|MPL-2\.0 \(the elotl package\); each document keeps its own authors"
)
PAGES_IN_ARABIC = {
    "": ["/", "/about/", "/accounts/login/", "/accounts/signup/", "/nothing/"],
    "filipa": [
        "/",
        "/c/{c}/",
        "/c/{c}/speak/",
        "/c/{c}/speak/work/{work}/",
        "/c/{c}/speak/review/{work}/",
        "/c/{c}/speak/consent/",
        "/c/{c}/speak/words/",
        "/c/{c}/speak/play/",
        "/c/{c}/speak/impact/",
        "/c/{c}/try/",
    ],
    "chen": ["/c/{c}/decide/", "/c/{c}/decide/{decide}/"],
    "esi": [
        "/c/{c}/train/",
        "/c/{c}/train/freeze/",
        "/c/{c}/train/additions/",
        "/c/{c}/train/releases/{releases}/run/",
    ],
    "aroha": [
        "/found/",
        "/c/{c}/steward/",
        "/c/{c}/steward/corpus/",
        "/c/{c}/steward/members/",
        "/c/{c}/steward/consent/",
        "/c/{c}/steward/projects/new/label/",
        "/c/{c}/steward/projects/{work}/",
        "/c/{c}/steward/adapters/{adapters}/",
    ],
}


def latin_words_of(page: str) -> set[str]:
    """Words in Latin letters that a reader of the page meets, but for hashes and what is meant for machines."""
    seen = re.sub(r"(?s)<(script|style|svg|pre|code)\b.*?</\1>", " ", page)
    seen = re.sub(r'(<[^>]*class="[^"]*\bmono\b[^>]*>)[^<]*', r"\1", seen)
    # The names of published tables, which are marked as English.
    seen = re.sub(r'(<bdi lang="en"[^>]*>)[^<]*', r"\1", seen)
    spoken = re.findall(r'(?:aria-label|title|placeholder|data-(?!text-id)[a-z-]+)="([^"]* [^"]*)"', seen)
    words = html.unescape(re.sub(r"<[^>]*>", "\n", seen) + "\n" + "\n".join(spoken))
    return set(re.findall(r"[A-Za-zÀ-ÿ]{3,}", re.sub(rf"\b(?:{DATA})(?!\w)|\S*[0-9a-f]{{12}}\S*", " ", words)))


@pytest.mark.django_db
@pytest.mark.parametrize("username", PAGES_IN_ARABIC, ids=lambda name: name or "a visitor")
def test_pages_in_arabic_are_in_arabic(furnished: SimpleNamespace, chen: Person, username: str) -> None:
    grant_role(person=chen, community=furnished.community, role=Role.SPEAKER, granted_by=chen, now=NOW)
    client = Client(headers={"accept-language": "ar,en;q=0.5"})
    if username:
        client.force_login(Person.objects.get(username=username))
    # Such as UTF and BCP: technical names that the translation itself keeps.
    known = {
        word for message in catalogues.read("ar") for word in re.findall(r"[A-Za-z]{3,}", " ".join(strings_of(message)))
    }

    left_over = {}
    for path in PAGES_IN_ARABIC[username]:
        response = client.get(path.format(**furnished.arguments))
        page = response.content.decode()
        assert response.status_code == 200 or path == "/nothing/", path
        assert '<html lang="ar" dir="rtl">' in page
        if words := latin_words_of(page) - known:
            left_over[path] = words

    assert not left_over
