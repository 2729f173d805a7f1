"""What a check noticed in a text: a code with parameters, and the words for it. A finding warns; it never refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


def gettext_noop(words: str) -> str:
    """Mark words for the catalogues; a translation is looked up by the English sentence."""
    return words


# English, %-formatted with the parameters of the finding.
TEMPLATES = {
    # annotation.text.checks
    "outside_alphabet": gettext_noop(
        "“%(character)s” is not in the alphabet of this language. It stands here %(times)d ×."
    ),
    "repeated_word": gettext_noop("“%(word)s” is written twice in a row."),
    "no_final_mark": gettext_noop("The source ends with “%(mark)s”, this text ends without a mark."),
    "same_as_source": gettext_noop("This is the source itself."),
    "near_source": gettext_noop("This is almost the source: %(percent)d %% of it is the same."),
    "number_missing": gettext_noop(
        "The source has the number %(number)s, this text has not. Written in words it is fine."
    ),
    "number_added": gettext_noop("The number %(number)s is not in the source."),
    "much_shorter": gettext_noop("This is much shorter than the source: %(characters)d characters against %(source)d."),
    "much_longer": gettext_noop("This is much longer than the source: %(characters)d characters against %(source)d."),
    "all_capitals": gettext_noop("Everything is in capital letters."),
    "mixed_scripts": gettext_noop("“%(word)s” mixes letters of two scripts. Some may only look like the right ones."),
    "rule": gettext_noop("%(message)s"),
    "rule_unfinished": gettext_noop("The rule “%(name)s” took too long and was not finished."),
    "other_language": gettext_noop("This looks more like the language of the source."),
    # annotation.answers.findings, which knows what else is stored
    "same_as_before": gettext_noop("You sent the same words for another sentence a short while ago."),
    "near_before": gettext_noop("You sent almost the same for another sentence a short while ago (%(percent)d %%)."),
    "same_as_stored": gettext_noop("The same words were accepted for another sentence of this project."),
    "near_stored": gettext_noop("Almost the same was accepted for another sentence of this project (%(percent)d %%)."),
    "same_as_machine": gettext_noop("This is word for word what the model wrote for this sentence."),
    # annotation.text.readability
    "long_sentence": gettext_noop("This sentence has %(count)d words. Try at most %(most)d."),
    "long_stretch": gettext_noop("This sentence has %(count)d characters. Try at most %(most)d."),
    "long_word": gettext_noop("“%(word)s” is long: %(count)d characters. Is there a shorter word?"),
    "rare_word": gettext_noop("“%(word)s” is not among the common words. Is there a better known one?"),
    "many_clauses": gettext_noop("This sentence joins several clauses (%(conjunctions)s). Try one sentence for each."),
}


@dataclass(frozen=True)
class Finding:
    """Something noticed in text[start:end] (code points, half-open); the whole text if no one place is meant."""

    code: str
    start: int
    end: int
    parameters: Mapping[str, str | int] = field(default_factory=dict, hash=False)

    @property
    def key(self) -> str:
        """The code with what is named, not how much of it: by it a finding is known again in a later wording."""
        return ":".join([self.code, *(str(value) for value in self.parameters.values() if isinstance(value, str))])


def words(finding: Finding, translate: Callable[[str], str] = str) -> str:
    """The finding as a sentence for the person who writes; `translate` is called with the English template.

    Raises:
        KeyError: no check gives such a code.
    """
    return translate(TEMPLATES[finding.code]) % finding.parameters
