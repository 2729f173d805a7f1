"""How well a text was simplified (SARI), and how long its sentences and words are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from annotation.text.graphemes import clusters
from annotation.text.segments import find_sentences, find_words, fold, is_blank, pieces

LONGEST = 4


def sari(source: str, said: str, references: Sequence[str]) -> float:
    """SARI of one sentence, 0 to 100, higher is better (Xu et al. 2016, section 4).

    The mean over n-grams of one to four words, and over three things: F1 of what is kept, F1 of what is added, and
    precision of what is left out, each against what the references did. Where nothing was to be done and nothing was
    done, that part is right (1), as in later implementations (EASSE). Case is folded; marks of punctuation are words.
    """
    if not references:
        raise ValueError("SARI needs a reference.")
    before, after, wanted = _words(source), _words(said), [_words(one) for one in references]
    parts = [part for length in range(1, LONGEST + 1) for part in _parts(before, after, wanted, length)]
    return 100 * sum(parts) / len(parts)


def _parts(before: list[str], after: list[str], wanted: list[list[str]], length: int) -> tuple[float, float, float]:
    """Kept, left out and added, for n-grams of one length."""
    # Every reference has a say: the counts of source and output stand once for each.
    there = Counter({gram: count * len(wanted) for gram, count in _grams(before, length).items()})
    said = Counter({gram: count * len(wanted) for gram, count in _grams(after, length).items()})
    right: Counter[tuple[str, ...]] = Counter()
    for words in wanted:
        right += _grams(words, length)
    kept, to_keep = there & said, there & right
    well_kept = kept & right
    keep = _f1(
        _mean(well_kept[gram] / kept[gram] for gram in kept),
        well_kept.total() / to_keep.total() if to_keep else 1.0,
    )
    gone = there - said
    well_gone = gone - right
    drop = _mean(well_gone[gram] / gone[gram] for gram in gone)
    added, to_add = set(said) - set(there), set(right) - set(there)
    well_added = len(added & to_add)
    add = _f1(well_added / len(added) if added else 1.0, well_added / len(to_add) if to_add else 1.0)
    return keep, drop, add


def readability(texts: Sequence[str]) -> dict[str, float]:
    """Words in a sentence and characters in a word, on average: what every language has, unlike a formula for one.

    Scripts that do not separate words have 0 of the latter.
    """
    words = [word.text for text in texts for word in find_words(text)]
    sentences = sum(len(find_sentences(text)) for text in texts)
    return {
        "words_per_sentence": len(words) / max(sentences, 1),
        "characters_per_word": sum(len(clusters(word)) for word in words) / max(len(words), 1),
    }


def _words(text: str) -> list[str]:
    return [fold(piece.text) for piece in pieces(text) if not is_blank(piece.text)]


def _grams(words: list[str], length: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[place : place + length]) for place in range(len(words) - length + 1))


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else 1.0


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
