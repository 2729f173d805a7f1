"""Codes of the Data Use Ontology stand beside an agreement's words, and say nothing else than these do."""

import pytest

from care import duo
from care.agreements import save_terms, terms_hash
from people.refusals import Invalid
from tests.care.agreeing import TERMS, active, drafted
from tests.conftest import NOW
from tests.frontend.made import make_release

pytestmark = pytest.mark.django_db


def test_every_code_has_its_number_name_and_meaning():
    every = [*duo.OFFERED, *duo.ALWAYS]
    assert len({code.number for code in every}) == len({code.shorthand for code in every}) == len(every) == 16
    assert all(len(code.number) == 7 and code.name and str(code.meaning) for code in every)
    assert (duo.OFFERED[0].identifier, duo.OFFERED[0].shorthand) == ("DUO:0000042", "GRU")


@pytest.mark.parametrize(
    ("codes", "terms"),
    [
        (["NCU"], {"purposes": ["train_commercial"]}),
        (["NPUNCU"], {"purposes": ["train_commercial"]}),
        (["NPU"], {"tier": "company"}),
        (["NPUNCU"], {"tier": "company"}),
        (["HMB"], {}),
        (["NRES"], {}),
    ],
)
def test_codes_that_say_something_else_are_refused(community, dana, codes, terms):
    made = drafted(community, dana)
    with pytest.raises(Invalid) as refused:
        save_terms(agreement=made, saved_by=dana, now=NOW, duo=codes, **terms)
    assert refused.value.field == "duo"
    made.refresh_from_db()
    assert made.duo == []


def test_codes_are_part_of_what_is_agreed(community, dana):
    made = drafted(community, dana)
    before = terms_hash(made)
    coded = save_terms(agreement=made, saved_by=dana, now=NOW, duo=["NCU", "RTN"])
    assert terms_hash(coded) != before
    assert terms_hash(save_terms(agreement=made, saved_by=dana, now=NOW, duo=[])) == before


def test_they_are_asked_for_shown_and_exported(client, community, dana, aroha, validated_corpus, esi):
    release = make_release(validated_corpus[0].task.project, esi)
    given = active(community, dana, aroha, duo=["NCU"], releases=[release.number])
    made = drafted(community, dana)
    client.force_login(dana)
    page = client.get(f"/agreements/{made.pk}/terms/limits/").content.decode()
    assert "NCU (DUO:0000046): for nobody’s profit" in page
    told = {"duo": ["NCU", "RTN"], "publication": TERMS["publication"], "comes_back": TERMS["comes_back"]}
    assert client.post(f"/agreements/{made.pk}/terms/limits/", told).status_code == 302
    assert 'RTN (<span dir="ltr">DUO:0000029</span>)' in client.get(f"/agreements/{made.pk}/").content.decode()
    made.refresh_from_db()
    assert made.duo == ["NCU", "RTN"]

    codes = [
        {"code": "DUO:0000046", "shorthand": "NCU", "name": "non-commercial use only"},
        {"code": "DUO:0000026", "shorthand": "US", "name": "user specific restriction"},
        {"code": "DUO:0000025", "shorthand": "TS", "name": "time limit on use"},
    ]
    assert client.get(f"/api/v1/agreements/{given.pk}/").json()["duo"] == codes
    assert duo.as_json(given.duo) == codes
