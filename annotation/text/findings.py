"""What a check noticed in a text: a code with parameters, and the words for it. A finding warns; it never refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

# English, %-formatted with the parameters of the finding; a translation is looked up by the English sentence.
TEMPLATES = {
    # annotation.text.checks
    "outside_alphabet": "“%(character)s” is not in the alphabet of this language. It stands here %(times)d ×.",
    "repeated_word": "“%(word)s” is written twice in a row.",
    "no_final_mark": "The source ends with “%(mark)s”, this text ends without a mark.",
    "same_as_source": "This is the source itself.",
    "near_source": "This is almost the source: %(percent)d %% of it is the same.",
    "number_missing": "The source has the number %(number)s, this text has not. Written in words it is fine.",
    "number_added": "The number %(number)s is not in the source.",
    "much_shorter": "This is much shorter than the source: %(characters)d characters against %(source)d.",
    "much_longer": "This is much longer than the source: %(characters)d characters against %(source)d.",
    "all_capitals": "Everything is in capital letters.",
    "mixed_scripts": "“%(word)s” mixes letters of two scripts. Some may only look like the right ones.",
    "rule": "%(message)s",
    "rule_unfinished": "The rule “%(name)s” took too long and was not finished.",
    "other_language": "This looks more like the language of the source.",
    # annotation.text.readability
    "long_sentence": "This sentence has %(count)d words. Try at most %(most)d.",
    "long_stretch": "This sentence has %(count)d characters. Try at most %(most)d.",
    "long_word": "“%(word)s” is long: %(count)d characters. Is there a shorter word?",
    "rare_word": "“%(word)s” is not among the common words. Is there a better known one?",
    "many_clauses": "This sentence joins several clauses (%(conjunctions)s). Try one sentence for each.",
}


@dataclass(frozen=True)
class Finding:
    """Something noticed in text[start:end] (code points, half-open); the whole text if no one place is meant."""

    code: str
    start: int
    end: int
    parameters: Mapping[str, str | int] = field(default_factory=dict, hash=False)


def words(finding: Finding, translate: Callable[[str], str] = str) -> str:
    """The finding as a sentence for the person who writes; `translate` is called with the English template.

    Raises:
        KeyError: no check gives such a code.
    """
    return translate(TEMPLATES[finding.code]) % finding.parameters
