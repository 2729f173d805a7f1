"""Which split what was turned down goes to."""

import pytest

from training.releases.splits import SplitRow, assign_splits


def test_counter_examples_go_where_their_documents_go_and_fill_no_split():
    rows = [SplitRow(f"{d}{n}", d, (f"p{d}",)) for d in "abc" for n in range(4)]
    bad = [SplitRow(f"bad{n}", "d", ("pd",), is_lesson=False) for n in range(9)]
    splits = assign_splits([*rows, *bad])
    assert {row.id: splits[row.id] for row in rows} == assign_splits(rows)
    assert len({splits[row.id] for row in bad}) == 1
    few = [row for row in rows if row.document != "c"]
    with pytest.raises(Exception, match="2 documents and 2 contributors among 8 sentences"):
        assign_splits([*few, *bad])
