"""The order of the experts' queue."""

import pytest

from annotation.aggregation.worth import uncertainty, worth

PLAIN = {"open_to": 0.5, "alike": 1, "done": 5, "tasks": 10}


def test_an_even_split_is_wide_open():
    assert uncertainty([1, 1]) == pytest.approx(1)
    assert uncertainty([1, 1, 1]) == pytest.approx(1)


def test_nothing_said_is_wide_open_too():
    assert uncertainty([]) == uncertainty([0]) == pytest.approx(1)


def test_more_voices_of_one_mind_leave_less_open():
    assert 1 > uncertainty([1, 0]) > uncertainty([3, 0]) > uncertainty([30, 0]) > 0


def test_a_value_reckoned_by_hand():
    # (2 + 1) of 4 and (0 + 1) of 4: 0.8113 bits.
    assert uncertainty([2, 0]) == pytest.approx(0.811278, abs=1e-6)
    # 0.5 × (1 + 2) × 6 / 11
    assert worth(open_to=0.5, alike=4, done=5, tasks=10) == pytest.approx(0.818182, abs=1e-6)


@pytest.mark.parametrize(
    "change", [{"open_to": 0.6}, {"alike": 2}, {"done": 4}], ids=["more open", "a pattern", "more need"]
)
def test_each_of_the_three_raises_it(change):
    assert worth(**{**PLAIN, **change}) > worth(**PLAIN)


def test_a_project_that_is_done_still_has_some_need():
    assert worth(open_to=1, alike=1, done=10, tasks=10) > 0


@pytest.mark.parametrize("wrong", [{"alike": 0}, {"done": 11}, {"done": -1}])
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="cannot be"):
        worth(**{**PLAIN, **wrong})


def test_a_count_below_zero_is_refused():
    with pytest.raises(ValueError, match="never"):
        uncertainty([-1])
