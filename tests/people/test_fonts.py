"""A font made for the test, with three letters that mean nothing, is cut down and served to members."""

import io

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

from people.fonts import remove_font, set_font, subset
from people.models import CommunityFont
from people.refusals import Invalid, NotAllowed
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
LETTERS = {"a": "A", "ä": "Adieresis", "я": "ya", "ߊ": "nko", ".": "period"}


def made() -> bytes:
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    pen.lineTo((0, 500))
    pen.lineTo((500, 0))
    pen.closePath()
    names = [".notdef", *LETTERS.values()]
    builder = FontBuilder(1000)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(letter): name for letter, name in LETTERS.items()})
    builder.setupGlyf(dict.fromkeys(names, pen.glyph()))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (600, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Made up", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    out = io.BytesIO()
    builder.save(out)
    return out.getvalue()


def letters_of(content):
    return {chr(code) for code in TTFont(io.BytesIO(content)).getBestCmap()}


def keep(community, person, content, **changed):
    fields = {"name": "Made up", "licence": "CC0", "now": NOW, **changed}
    return set_font(community=community, set_by=person, content=content, **fields)


@pytest.mark.parametrize(("script", "kept"), [("Latn", {"a", "ä", "."}), ("Nkoo", {"a", "ߊ", "."})])
def test_only_the_letters_of_the_script_and_plain_latin_are_kept(script, kept):
    small = subset(made(), script=script)
    assert small[:4] == b"wOF2"
    assert letters_of(small) == kept


def test_a_font_without_the_script_is_refused():
    with pytest.raises(Invalid, match="no letters of the script Adlm"):
        subset(made(), script="Adlm")


@pytest.mark.parametrize("content", [b"", b"no font", made()[:200]])
def test_what_is_no_font_is_refused(content):
    with pytest.raises(Invalid, match="no font that can be read"):
        subset(content, script="Latn")


def test_a_new_font_takes_the_place_of_the_old_one_and_goes(community, aroha):
    keep(community, aroha, made())
    keep(community, aroha, made(), name="Another")
    assert CommunityFont.objects.get().name == "Another"
    remove_font(community=community, removed_by=aroha, now=NOW)
    remove_font(community=community, removed_by=aroha, now=NOW)
    assert not CommunityFont.objects.exists()


def test_only_a_steward_sets_it_and_names_its_licence(community, aroha, ben, project):
    with pytest.raises(NotAllowed):
        keep(community, ben, made())
    with pytest.raises(Invalid, match="on what terms"):
        keep(community, aroha, made(), licence=" ")


def test_pages_of_the_community_use_it(client, community, aroha, dana):
    client.force_login(aroha)
    page = "/c/test-otomi/steward/language/"
    assert "font.css" not in client.get(page).content.decode()
    file = io.BytesIO(made())
    file.name = "made-up.ttf"
    answer = client.post(f"{page}font/", {"file": file, "name": "Made up", "licence": "CC0"}, follow=True)
    sheet = f"/c/test-otomi/font/{CommunityFont.objects.get().sha256}.css"
    assert sheet in answer.content.decode()
    assert ":lang(ote)" in client.get(sheet).content.decode()
    assert client.get(sheet.replace(".css", ".woff2"))["Content-Type"] == "font/woff2"
    client.force_login(dana)
    assert client.get(sheet).status_code == 404
