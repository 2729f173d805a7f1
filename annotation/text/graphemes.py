"""Where a reader sees one character end and the next begin: extended grapheme clusters, in code points.

Which rules: Unicode Standard Annex 29 (https://www.unicode.org/reports/tr29/), as the pinned `regex` package follows
it, Unicode 18.0. Browsers lag behind: Chromium 156 follows Unicode 17.0, older phones older versions. What all of them
have in common is that each version joined more than the one before:

- 15.1 brought rule GB9c, which joins Indic conjuncts: a consonant, a virama and the next consonant are one cluster;
- by 17.0 it holds for more scripts, Khmer and Burmese among them;
- in 18.0 it no longer asks what precedes the virama: Bengali অ্যা is one cluster, two in Chromium 156.

So the server's boundaries are boundaries in a browser too (but for a few code points that were reserved for emoji and
given up again), while a browser may offer some that the server refuses. A page that lets people mark text should
therefore be given `boundaries(text)`, or what it sends be widened by `snap`; it should not cut by its own
Intl.Segmenter. `tests/text/test_graphemes_in_chromium.py` holds the two side by side.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import regex

_CLUSTER = regex.compile(r"\X")


def boundaries(text: str) -> list[int]:
    """The offsets, in code points and ascending, at which a grapheme cluster begins or ends.

    The first is 0 and the last the length of the text; the empty text has the one boundary 0.
    """
    return [0, *(cluster.end() for cluster in _CLUSTER.finditer(text))]


def clusters(text: str) -> list[str]:
    """The text's grapheme clusters, in order: what a reader counts as characters."""
    return _CLUSTER.findall(text)


def is_boundary(text: str, offset: int) -> bool:
    """Whether an offset in code points splits no grapheme cluster; one outside the text is no boundary.

    This reads the whole text. For many offsets in one text, ask `boundaries` once.
    """
    return offset in boundaries(text)


def snap(text: str, start: int, end: int) -> tuple[int, int]:
    """The smallest half-open range of whole grapheme clusters that holds the given one, in code points.

    An empty range inside a cluster becomes that cluster; one that lies on a boundary stays empty.

    Raises:
        ValueError: the range is reversed or not inside the text.
    """
    if not 0 <= start <= end <= len(text):
        raise ValueError(f"The range {start}-{end} is not inside a text of {len(text)} characters.")
    edges = boundaries(text)
    return edges[bisect_right(edges, start) - 1], edges[bisect_left(edges, end)]
