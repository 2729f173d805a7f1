"""What a community sets of its language, and what each person says of theirs."""

import pytest

from ledger.models import Entry
from people.language import save_orthography, save_variety, set_language_profile, set_own_words
from people.models import LanguageProfile
from people.refusals import Invalid, NotAllowed
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
WRITING = {"name": "New", "script": "Latn", "characters": "  ä:â,ã   ñ "}


def test_a_steward_adds_and_changes_a_way_of_writing(community, aroha):
    row = save_orthography(community=community, saved_by=aroha, now=NOW, pk=None, **WRITING)
    assert row.characters == "ä:â,ã ñ"
    save_orthography(community=community, saved_by=aroha, now=NOW, pk=row.pk, **{**WRITING, "name": "Newer"})
    assert community.orthographies.filter(name="Newer").exists()
    assert not community.orthographies.filter(name="New").exists()
    assert Entry.objects.filter(action="community.orthography_saved").count() == 2


@pytest.mark.parametrize("wrong", [{"script": "latin"}, {"name": ""}, {"characters": "ä " * 300}])
def test_a_wrong_way_of_writing_is_refused_with_its_field(community, aroha, wrong):
    with pytest.raises(Invalid) as refusal:
        save_orthography(community=community, saved_by=aroha, now=NOW, pk=None, **{**WRITING, **wrong})
    assert refusal.value.field == next(iter(wrong))


def test_a_second_variety_of_the_same_code_is_refused(community, aroha):
    with pytest.raises(Invalid):
        save_variety(community=community, saved_by=aroha, now=NOW, pk=None, code="ote", name="Again")


def test_only_stewards_set_the_language(community, ben, project):
    with pytest.raises(NotAllowed):
        save_orthography(community=community, saved_by=ben, now=NOW, pk=None, **WRITING)
    with pytest.raises(NotAllowed):
        set_own_words(community=community, words={}, known=[], set_by=ben, now=NOW)


def test_own_words_keep_known_ones_and_forget_empty_ones(community, aroha):
    given = {"Good": " our  word ", "Not sure": "", "Elsewhere": "no"}
    set_own_words(community=community, words=given, known=["Good", "Not sure"], set_by=aroha, now=NOW)
    community.refresh_from_db()
    assert community.own_words == {"Good": "our word"}


def test_a_word_of_many_letters_is_refused(community, aroha):
    with pytest.raises(Invalid, match="Good"):
        set_own_words(community=community, words={"Good": "x" * 81}, known=["Good"], set_by=aroha, now=NOW)


def test_a_profile_holds_only_what_belongs_to_the_community(community, ben, project):
    variety = community.varieties.get(code="ots")
    set_language_profile(person=ben, community=community, varieties=[variety], orthographies=[])
    set_language_profile(person=ben, community=community, varieties=[variety], orthographies=[])
    assert list(LanguageProfile.objects.get().varieties.all()) == [variety]
