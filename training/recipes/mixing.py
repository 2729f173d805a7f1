"""What is learnt from beside the lessons of the training split: other directions, other languages, and machines' rows.

All of it is for training alone; no held-out row is ever made or taken from it. Whatever is drawn follows from the seed
and the rows' ids, so that taking a row away leaves the others as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

from training.evaluation.contamination import Pair, giving_away
from training.recipes.configuration import Configuration
from training.recipes.rows import Row, UnusableLine, read_related, read_rows
from training.recipes.stages import RecipeError
from training.recipes.synthetic import choose, read_synthetic
from training.recipes.text import Example, encode, ordered


def lessons_of(config: Configuration, tokenizer: Any, own: Sequence[Example]) -> tuple[list[Example], dict[str, Any]]:
    """Everything the completions stage learns from, and how much of it is what, for the report. Raises RecipeError."""
    trained = {example.id for example in own}
    rows = [row for row in read_rows(config.data.train) if row.id in trained]
    found, counts = list(own), {"own": len(own)}
    if config.mixing.both_directions:
        backward = _encoded([turned(row, config) for row in rows if row.source], tokenizer, config)
        found, counts["backward"] = found + backward, len(backward)
    if config.data.synthetic:
        try:
            chosen = choose(read_synthetic(config.data.synthetic), trained, config.mixing.synthetic_share)
        except UnusableLine as error:
            raise RecipeError(str(error)) from error
        made = _encoded(chosen.rows, tokenizer, config)
        found, counts["synthetic"] = found + made, len(made)
        counts["synthetic_without_parents"] = chosen.without_parents
    if config.data.related:
        try:
            lessons, counts["related_held_out"] = related_in(config.data.related, tokenizer, config)
        except UnusableLine as error:
            raise RecipeError(str(error)) from error
        for language, some in sorted(mixed(lessons, len(own), config).items()):
            found, counts[language] = found + some, len(some)
    if config.mixing.replay:
        replayed = replay_of(rows, tokenizer, len(found), config)
        found, counts["replay"] = found + replayed, len(replayed)
    return found, counts


def turned(row: Row, config: Configuration) -> Row:
    """A translation the other way round."""
    source, target = config.language.source_name, config.language.target_name
    request = f"Translate from {target} to {source}:\n{row.completion}"
    return Row(f"{row.id}:back", row.system, request, row.source, source=row.completion)


def replay_of(rows: Sequence[Row], tokenizer: Any, beside: int, config: Configuration) -> list[Example]:
    """Sentences that the lessons ask about, in a language the model knew before, as plain text: the share `replay` of
    all. Whoever hears only a new language forgets the old one (Ibrahim et al. 2024)."""
    own = {row.completion for row in rows}
    # Of rows that ask about the same sentence, the one with the least id, wherever it lies in the file.
    by_id = sorted(rows, key=attrgetter("id"), reverse=True)
    known = {row.source: f"replay:{row.id}" for row in by_id if row.source and row.source not in own}
    read = [plain(tokenizer, name, text, config) for text, name in known.items()]
    wanted = round(beside * config.mixing.replay / (1 - config.mixing.replay))
    return ordered([one for one in read if one is not None], seed=config.recipe.seed, epoch=-4)[:wanted]


def plain(tokenizer: Any, name: str, text: str, config: Configuration) -> Example | None:
    """A text between two end marks, the first of which foretells it; None when it is too long."""
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
    mark = tokenizer.eos_token_id
    whole = (mark, *tokens, mark)
    return None if len(whole) > config.recipe.max_length else Example(name, whole, 1, len(text.encode()))


def related_in(path: str, tokenizer: Any, config: Configuration) -> tuple[dict[str, list[Example]], int]:
    """Lessons in other languages, by language; and how many were left out, because they give a held-out row away.

    Raises UnusableLine.
    """
    lessons = read_related(path)
    places = held_out_in([(row.source, row.completion) for _, row in lessons], config)
    found: dict[str, list[Example]] = {}
    for place, (language, row) in enumerate(lessons):
        example = encode(tokenizer, row, max_length=config.recipe.max_length)
        if example is not None and place not in places:
            found.setdefault(language, []).append(example)
    return found, len(places)


def held_out_in(texts: Sequence[tuple[str, str]], config: Configuration) -> set[int]:
    """Places of what gives a held-out row away, of (what is asked, or nothing; what is read): whoever learnt it could
    not be measured."""
    held_out = [
        Pair(row.id, row.source, row.completion)
        for path in (config.data.validation, config.data.test)
        for row in read_rows(path)
    ]
    rows = [Pair(str(place), source, text) for place, (source, text) in enumerate(texts)]
    return {int(name) for name in giving_away(rows, held_out)}


def mixed(related: Mapping[str, list[Example]], own: int, config: Configuration) -> dict[str, list[Example]]:
    """So many lessons of each language that its share follows n ^ (1 / temperature) (Conneau et al. 2020).

    The own lessons all stay: at temperature 1 the others come whole; the higher it is, the fewer come of a language
    that has many.
    """
    power = 1 / config.mixing.temperature
    return {
        language: ordered(some, seed=config.recipe.seed, epoch=-7)[: round(own ** (1 - power) * len(some) ** power)]
        for language, some in related.items()
    }


def _encoded(rows: Sequence[Row], tokenizer: Any, config: Configuration) -> list[Example]:
    encoded = (encode(tokenizer, row, max_length=config.recipe.max_length) for row in rows)
    return [example for example in encoded if example is not None]
