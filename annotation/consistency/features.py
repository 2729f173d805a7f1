"""What the tagger sees of a word and of a text: nothing that only one language has."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise

from annotation.consistency.rows import Cut

LONGEST_AFFIX = 4
_EDGE = ("‹", "›")


def shape_of(word: str) -> str:
    """Upper case, lower case, letters without case, digits and the rest, each run once: "Xx" for a capitalised word."""
    return "".join(sign for sign, _ in groupby(map(_sign, word)))


def _sign(letter: str) -> str:
    if letter.isupper() or letter.istitle():
        return "X"
    if letter.islower():
        return "x"
    if letter.isdigit():
        return "0"
    return "a" if letter.isalpha() else "."


def of_words(cut: Cut) -> list[list[str]]:
    """For each word the names of its features."""
    words = [_EDGE[0], _EDGE[0], *cut.folded, _EDGE[1], _EDGE[1]]
    shapes = ["‹", "‹", *map(shape_of, cut.words), "›", "›"]
    found = []
    for place, plain in enumerate(cut.words, start=2):
        word, before, after = words[place], words[place - 1], words[place + 1]
        sized = [f"p{word[:size]}" for size in range(1, LONGEST_AFFIX + 1) if size < len(word)]
        sized += [f"s{word[-size:]}" for size in range(1, LONGEST_AFFIX + 1) if size < len(word)]
        found.append(
            [
                "1",
                f"w{word}",
                f"W{plain}",
                f"<{before}",
                f">{after}",
                f"«{words[place - 2]}",
                f"»{words[place + 2]}",
                f"<<{before} {word}",
                f">>{word} {after}",
                f"h{shapes[place]}",
                f"<h{shapes[place - 1]}",
                f">h{shapes[place + 1]}",
                f"hh{shapes[place - 1]} {shapes[place]}",
                f"hh>{shapes[place]} {shapes[place + 1]}",
                f"<p{before[:3]}",
                f">s{after[-3:]}",
                f"0{place == 2}{shapes[place]}",
                *sized,
            ]
        )
    return found


def of_text(cut: Cut) -> list[str]:
    """The names of a whole text's features: its words, pairs of words, and what they begin and end with."""
    words: Sequence[str] = cut.folded
    pairs = [f"2{one} {other}" for one, other in pairwise(words)]
    affixes = [f"p{word[:LONGEST_AFFIX]}" for word in words] + [f"s{word[-3:]}" for word in words]
    return ["1", *(f"w{word}" for word in words), *pairs, *affixes]
