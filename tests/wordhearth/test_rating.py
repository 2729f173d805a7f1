"""The bench of rules: right intervals, every figure that is promised, and a table that shows them."""

from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import pytest
from rich.console import Console

from wordhearth.benches import rating


@pytest.fixture
def facts(monkeypatch):
    """A small run: two crowds, three seeds, in this process."""
    crowds = {name: {**rating.CROWDS[name], "answers": 300} for name in (rating.USUAL, "30 malicious")}
    monkeypatch.setattr(rating, "CROWDS", crowds)
    monkeypatch.setattr(rating, "SEEDS", range(3))
    monkeypatch.setattr(rating, "ProcessPoolExecutor", ThreadPoolExecutor)
    return rating.run()


def test_student_s_interval_of_known_numbers():
    measured = rating.mean_and_interval([1.0, 2.0, 3.0])
    assert measured["mean"] == 2
    assert measured["interval"] == pytest.approx([2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5], abs=1e-4)


def test_every_figure_has_an_interval_around_it(facts):
    promised = {"wrong_validated", "right_rejected", "votes_per_item"}
    promised |= {f"plain_{name}" for name in promised} | {f"alone_{name}" for name in promised}
    promised |= {"expert_share", "alone_expert_share"}
    assert set(facts["intervals"]) == promised
    for name, (low, high) in facts["intervals"].items():
        assert low <= facts[name] <= high


def test_plain_rules_with_as_many_votes_have_as_many(facts):
    usual = facts["crowds"][rating.USUAL]
    votes = usual["plain, as many"]["votes_per_item"]["mean"]
    assert votes == pytest.approx(usual["guarded"]["votes_per_item"]["mean"])


def test_the_table_names_crowds_rules_and_assumptions(facts):
    console = Console(width=100, record=True, file=StringIO())
    console.print(rating.table(facts))
    text = console.export_text()
    assert "30 malicious" in text
    assert "plain 3 of 5" in text
    assert f"{100 * facts['wrong_validated']:.1f} ±" in text
    assert "An expert is right in 97%" in text
