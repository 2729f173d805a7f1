"""Text comes in with its provenance, line by line."""

import json

import pytest

from annotation.corpora.models import Import, Item, Source
from annotation.corpora.packaged import ELOTL_LICENCE, PackagedRow, read_tsunkua
from annotation.corpora.readers import UnreadableFile, read_rows
from annotation.corpora.services import import_packaged, import_upload
from annotation.projects.models import Project
from annotation.projects.services import LicencesClash, open_project
from annotation.text.characters import character_row, propose_row, shown
from annotation.text.clean import UnusableText, clean_text
from annotation.text.scripts import is_in_script, share_in_script
from people.refusals import Invalid, NotAllowed


def test_tsv_csv_and_json_lines_say_the_same():
    rows = [("uno, dos", "A"), ('dice "sí"', "B")]
    tsv = "text\tdocument\n" + "".join(f"{text}\t{document}\n" for text, document in rows)
    csv = 'text,document\n"uno, dos",A\n"dice ""sí""",B\n'
    jsonl = '{"text": "uno, dos", "document": "A"}\n{"text": "dice \\"sí\\"", "document": "B"}\n'
    for name, content in (("a.tsv", tsv), ("a.csv", csv), ("a.jsonl", jsonl)):
        reading = read_rows(name, content.encode())
        assert [(row.text, row.document) for row in reading.rows] == rows, name
        assert reading.problems == []


def test_every_bad_line_is_named_and_the_rest_is_kept():
    content = b"text,document\r\nbien,A\r\n\xff\xfe,A\r\nno\0,A\r\nde,mas,A\r\n,A\r\n\r\nfin,A\r\n"
    reading = read_rows("a.csv", content)
    assert [(row.line, row.text) for row in reading.rows] == [(2, "bien"), (8, "fin")]
    assert [problem["line"] for problem in reading.problems] == [3, 4, 5, 6]


def test_a_line_whose_document_or_variety_cannot_be_kept_is_named():
    lines = [
        {"document": "a\0b"},
        {"document": "\ud800"},
        {"variety": "\0"},
        {"document": "x" * 301},
        {"document": " "},
    ]
    content = "".join(json.dumps({"text": "uno", **line}) + "\n" for line in lines)
    reading = read_rows("a.jsonl", content.encode())
    assert [(row.line, row.document) for row in reading.rows] == [(5, "")]
    assert [problem["line"] for problem in reading.problems] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("content", "texts", "remarks"),
    [
        ('text\nuno\n"dos\ntres\ncuatro\n', ["uno", "tres", "cuatro"], [(3, "is not closed")]),
        ('text,document\n"uno,A\ndos,A\n"tres",A\n', ["dos", "tres"], [(2, "is not closed")]),
        (
            'text,document\n"uno,A\ndos,A\ntres"\ncuatro,A\n',
            ["dos", "cuatro"],
            [(2, "is not closed"), (4, "1 columns")],
        ),
        ('text\n"a"b\nuno\n', ["uno"], [(2, "Cannot be split")]),
        ('text,document\nuno,A\n"dos\n\ntres",A\n', ["uno", "dos\ntres"], [(3, "with the lines up to 5")]),
    ],
    ids=["to the end", "to another", "to a line end", "in one line", "meant"],
)
def test_a_quotation_mark_that_stays_open_costs_one_line_and_nothing_becomes_one_unsaid(content, texts, remarks):
    reading = read_rows("a.csv", content.encode())
    assert [row.text for row in reading.rows] == texts
    found = [(problem["line"], problem["message"]) for problem in reading.problems]
    assert len(found) == len(remarks)
    assert all(line == at and words in said for (line, said), (at, words) in zip(found, remarks, strict=True))


def test_a_byte_order_mark_and_capital_headers_do_no_harm():
    assert read_rows("A.CSV", "\ufeffText\nhola\n".encode()).rows[0].text == "hola"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a", b"x"),
        ("a.xlsx", b"x"),
        ("a.csv", b""),
        ("a.csv", b" \n"),
        ("a.csv", b"\xff"),
        ("a.csv", b"x" * 20_000_001),
    ],
)
def test_files_that_cannot_be_read(name, content):
    with pytest.raises(UnreadableFile):
        read_rows(name, content)


def test_importing_twice_stores_once(community, aroha, now):
    facts = {"community": community, "imported_by": aroha, "name": "a.csv", "licence": "CC0", "title": "T"}
    content = b"text\nuno\ndos\nuno\n"
    first = import_upload(**facts, content=content, language_tag="es", now=now)
    second = import_upload(**facts, content=content, language_tag="es", now=now)
    assert [(row.rows, row.added, row.repeated) for row in (first, second)] == [(3, 2, 1), (3, 0, 3)]
    assert list(Item.objects.values_list("text", "position")) == [("uno", 1), ("dos", 2)]


def test_a_document_does_not_come_in_again_under_other_terms_or_in_another_language(community, aroha, now):
    facts = {"community": community, "imported_by": aroha, "name": "a.csv", "title": "T", "now": now}
    import_upload(**facts, content=b"text\nuno\n", licence="CC0", language_tag="es")
    for changed, field, words in (
        ({"licence": "CC BY 4.0", "language_tag": "es"}, "licence", "“CC0” before"),
        ({"licence": "CC0", "language_tag": "en"}, "language_tag", "“es” before"),
    ):
        with pytest.raises(Invalid, match=words) as caught:
            import_upload(**facts, content=b"text,document\ntres,U\ndos,\n", **changed)
        assert caught.value.field == field
    assert (list(Item.objects.values_list("text", flat=True)), Import.objects.count()) == (["uno"], 1)
    again = import_upload(**{**facts, "title": "U"}, content=b"text\ndos\n", licence="CC BY 4.0", language_tag="es")
    assert again.items.get().source.licence == "CC BY 4.0"
    packaged = PackagedRow(text="uno", translation="ñä", variety="", document="T", document_id="")
    with pytest.raises(Invalid, match="“CC0” before"):
        import_packaged(
            community=community,
            imported_by=aroha,
            rows=[packaged],
            origin="a.csv",
            licence="MPL-2.0",
            language_tag="es",
            now=now,
        )


def test_only_stewards_import(community, ben, now):
    with pytest.raises(NotAllowed):
        import_upload(
            community=community,
            imported_by=ben,
            name="a.csv",
            content=b"text\nx\n",
            licence="CC0",
            title="T",
            language_tag="es",
            now=now,
        )


def test_the_packaged_corpus_keeps_document_variety_and_licence(community, aroha, now):
    rows = read_tsunkua()
    record = import_packaged(
        community=community,
        imported_by=aroha,
        rows=rows,
        origin="elotl",
        language_tag="es",
        licence=ELOTL_LICENCE,
        now=now,
    )
    assert record.rows == len(rows) == 4963
    # One row of the corpus has no Spanish or no Otomí.
    assert record.added + record.repeated == 4962
    norma = Source.objects.filter(title__startswith="NORMA DE ESCRITURA")
    assert {source.variety.code if source.variety else None for source in norma} == {"ote", "ots", None}
    assert all(source.licence == ELOTL_LICENCE and source.reference for source in Source.objects.all())
    same = [problem for problem in record.problems if "repeats the source" in problem["message"]]
    assert same
    assert not Item.objects.filter(text="reference").exists()


def test_clean_text_keeps_letters_that_look_alike_apart():
    assert clean_text("  a\u0331\u00a0 b\r\nc ") == "a\u0331 b\nc"
    assert clean_text("ʼ'’") == "ʼ'’"
    assert clean_text("ﬁ²") == "ﬁ²"
    for bad in ("\u200e" and "\u202e", "\ud800", "\x07", " \n "):
        with pytest.raises(UnusableText):
            clean_text(bad)


@pytest.mark.parametrize(
    ("text", "script", "inside"),
    [
        ("hñähñu ʼa̱", "Latn", True),
        ("Привет мир", "Latn", False),
        ("Привет мир", "Cyrl", True),
        ("123 ?!", "Latn", True),
        ("አማርኛ", "Ethi", True),
        ("العربية", "Arab", True),
        ("日本語の文", "Jpan", True),
        ("hola Ωmega", "Latn", True),
    ],
)
def test_scripts(text, script, inside):
    assert is_in_script(text, script) is inside


def test_share_in_script_knows_when_it_cannot_know():
    assert share_in_script("123", "Latn") is None
    assert share_in_script("abc", "Zzzz") is None
    assert share_in_script("abЖ", "Latn") == pytest.approx(2 / 3)


def test_character_row():
    assert character_row("ä ñ  ä ʼ") == ["ä", "ñ", "ʼ"]
    assert shown("\u0331") == "◌\u0331"
    assert propose_row(["ra ʼbu̱i", "ʼyo̱", "niño"])[:2] == ["ʼ", "\u0331"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("licences", "said"),
    [(("CC BY-ND 4.0",) * 3, "allows nothing"), (("CC BY-SA 4.0", "CC BY-NC 4.0", "CC0"), "no licence suits both")],
)
def test_texts_whose_licences_clash_are_not_worked_on(community, aroha, sources, now, licences, said):
    for source, licence in zip(sources, licences, strict=True):
        Source.objects.filter(pk=source.pk).update(licence=licence)
    fields = {"title": "A", "source_language_name": "Spanish", "source_language_tag": "es"}
    with pytest.raises(LicencesClash, match=said):
        open_project(community=community, created_by=aroha, sources=community.sources.all(), now=now, **fields)
    assert not Project.objects.exists()
    freed = community.sources.filter(licence="CC0") if "CC0" in licences else community.sources.none()
    if freed:
        assert open_project(community=community, created_by=aroha, sources=freed, now=now, **fields).pk
