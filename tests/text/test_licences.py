"""Which licences may stand together in what is made from texts under them (G17)."""

import pytest

from annotation.text.licences import Clash, code_of, find_clash

# Written by hand, row by row: y where some licence suits an adaptation of both, . where none does.
TABLE = """
CC0-1.0          y y y y y y y y y . . y
PDDL-1.0         y y y y y y y y y . . y
CC-BY-3.0        y y y y y y y y y . . y
CC-BY-4.0        y y y y y y y y y . . y
ODC-By-1.0       y y y y y y y y y . . y
CC-BY-SA-3.0     y y y y y y y . . . . .
CC-BY-SA-4.0     y y y y y y y . . . . .
CC-BY-NC-4.0     y y y y y . . y y . . .
CC-BY-NC-SA-4.0  y y y y y . . y y . . .
CC-BY-ND-4.0     . . . . . . . . . . . .
CC-BY-NC-ND-4.0  . . . . . . . . . . . .
ODbL-1.0         y y y y y . . . . . . y
"""
ROWS = [line.split() for line in TABLE.split("\n") if line]
CODES = [row[0] for row in ROWS]
PAIRS = [(row[0], other, said == "y") for row in ROWS for other, said in zip(CODES, row[1:], strict=True)]


def test_all_144_pairs_are_as_the_table_says():
    assert len(PAIRS) == 144
    assert [(one, other) for one, other, may in PAIRS if (find_clash([one, other]) is None) is not may] == []


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("CC BY-NC-SA 4.0", "CC-BY-NC-SA-4.0"),
        ("cc by sa 3.0", "CC-BY-SA-3.0"),
        ("https://example.org: CC-BY 4.0 (the authors)", "CC-BY-4.0"),
        ("CC BY-NC", "CC-BY-NC-4.0"),
        ("CC-BY-ND-NC 4.0", "CC-BY-NC-ND-4.0"),
        ("CC0", "CC0-1.0"),
        ("Public domain", "PDDL-1.0 or CC0"),
        ("ODbL 1.0", "ODbL-1.0"),
        ("By agreement with the archive", ""),
        ("MPL-2.0 (a package)", ""),
    ],
)
def test_what_people_write_is_understood(written, code):
    assert code_of(written) == ("CC0-1.0" if "or" in code else code)


def test_own_terms_suit_themselves_and_what_is_free():
    assert find_clash(["Ask us", "Ask us ", "CC BY 4.0", "CC0"]) is None
    assert find_clash(["Ask us", "Ask them"]) == Clash("Ask them", "Ask us")
    assert find_clash(["Ask us", "CC BY-SA 4.0"]) == Clash("Ask us", "CC BY-SA 4.0")
    assert find_clash([]) is None


def test_three_that_suit_in_pairs_are_asked_together():
    assert find_clash(["CC0", "CC BY 4.0", "CC BY-NC 4.0", "CC BY-NC-SA 4.0"]) is None
    assert find_clash(["CC BY 4.0", "CC BY-NC 4.0", "CC BY-SA 4.0"]) == Clash("CC BY-NC 4.0", "CC BY-SA 4.0")


def test_one_that_forbids_changes_clashes_with_itself():
    assert find_clash(["CC BY-ND 4.0"]) == Clash("CC BY-ND 4.0", "CC BY-ND 4.0")
