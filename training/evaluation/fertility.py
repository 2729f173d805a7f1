"""How many tokens a language costs a model: the first thing to know before one trains.

A tokenizer that was made for other languages cuts words to pieces. More pieces mean dearer training, slower answers,
and less to hold on to for a model. Fertility is tokens per word (Rust et al. 2021).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Tokens = Callable[[str], Sequence[str]]
"""The tokens of a text, each as its vocabulary names it."""

ENGLISH = Path(__file__).parent / "texts" / "en.txt"
MANY = 4


def fertility(texts: Sequence[str], tokens: Tokens) -> dict[str, Any]:
    """Tokens per word, bytes per token, and how many words are cut into more than four; nothing for no words.

    Words are what stands between blanks: in scripts without any, look at the bytes per token.
    """
    words = [word for text in texts for word in text.split()]
    pieces = [len(tokens(f" {word}")) for word in words]
    whole = sum(len(tokens(text)) for text in texts)
    if not words or not whole:
        return {}
    return {
        "texts": len(texts),
        "words": len(words),
        "tokens_per_word": sum(pieces) / len(words),
        "bytes_per_token": sum(len(text.encode()) for text in texts) / whole,
        "words_in_more_than_four": sum(number > MANY for number in pieces) / len(words),
    }


def fertility_report(texts: Sequence[str], tokens: Tokens) -> dict[str, Any]:
    """The same, and how many times as many tokens a word costs as in English."""
    found = fertility(texts, tokens)
    english = fertility(ENGLISH.read_text(encoding="utf-8").splitlines(), tokens)
    if found and english:
        found["times_english"] = found["tokens_per_word"] / english["tokens_per_word"]
    return found
