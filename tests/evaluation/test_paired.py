"""Two systems compared: the same p values as sacrebleu's own test, and scores that fit the kind of task."""

from __future__ import annotations

import hashlib
import random
from io import BytesIO
from pathlib import Path

import pytest
import sentencepiece
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER
from sacrebleu.significance import PairedTest

from annotation.aggregation.scoring import span_f1
from training.evaluation.paired import mean_difference
from training.evaluation.tasks import compare_on_task, spm_file

WORDS = [f"{onset}{vowel}{end}" for onset in "bdfgkmnt" for vowel in "aeiou" for end in ("", "n", "xi")]


def spoilt(sentence: str, share: float, drawn: random.Random) -> str:
    """The sentence with some of its words replaced."""
    return " ".join(drawn.choice(WORDS) if drawn.random() < share else word for word in sentence.split())


@pytest.fixture(scope="module")
def texts() -> dict[str, list[str]]:
    """Forty made-up sentences, and two systems of which the second errs a little less."""
    drawn = random.Random(5)  # noqa: S311 - made-up text, not secrecy
    right = [" ".join(drawn.choices(WORDS, k=drawn.randint(3, 12))) for _ in range(40)]
    return {
        "right": right,
        "base": [spoilt(one, 0.55, drawn) for one in right],
        "adapter": [spoilt(one, 0.45, drawn) for one in right],
    }


def test_scores_and_p_values_are_sacrebleu_s(texts: dict[str, list[str]]) -> None:
    found = compare_on_task("translate", texts["right"], texts["right"], texts["base"], texts["adapter"])["scores"]
    ours = {one["name"]: one for one in found}
    metrics = {"chrF++": CHRF(word_order=2), "BLEU": BLEU(), "TER": TER()}
    systems = [("base", texts["base"]), ("adapter", texts["adapter"])]
    for kind, samples, name in (("bs", 1000, "p_bootstrap"), ("ar", 10_000, "p_randomisation")):
        _, theirs = PairedTest(systems, dict(metrics), [texts["right"]], kind, samples).__call__()
        named = {name.replace("chrF2", "chrF"): results for name, results in theirs.items()}
        for metric in metrics:
            base, adapter = named[metric]
            mine = ours[metric]
            assert (mine["base"], mine["adapter"]) == (base.score, adapter.score)
            assert mine[name] == adapter.p_value, (metric, kind)
    assert ours["chrF++"]["signature"] == "nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no|version:2.6.0"
    low, high = ours["chrF++"]["difference_ci95"]
    assert low < ours["chrF++"]["adapter"] - ours["chrF++"]["base"] < high
    assert [ours[name]["higher_is_better"] for name in ("chrF++", "BLEU", "TER")] == [True, True, False]


def test_spbleu_is_sacrebleu_s_where_its_pieces_are_here(
    texts: dict[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sacrebleu.tokenizers.tokenizer_spm.SACREBLEU_DIR", str(tmp_path))
    monkeypatch.setattr("sacrebleu.tokenizers.tokenizer_spm.download_file", pytest.fail)
    right, base, adapter = texts["right"], texts["base"], texts["adapter"]
    without = compare_on_task("translate", right, right, base, adapter)["scores"]
    assert [one["name"] for one in without] == ["chrF++", "BLEU", "TER"]

    spm_file().parent.mkdir()
    spm_file().write_bytes(b"cut off")
    with pytest.warns(UserWarning, match="No spBLEU"):
        damaged = compare_on_task("translate", right, right, base, adapter)["scores"]
    assert damaged == without

    pieces = BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(right), model_writer=pieces, vocab_size=60, minloglevel=2
    )
    spm_file().write_bytes(pieces.getvalue())
    found = compare_on_task("translate", right, right, base, adapter)["scores"]
    assert [one["name"] for one in found] == ["chrF++", "BLEU", "spBLEU", "TER"]
    theirs = BLEU(tokenize="flores200")
    _, results = PairedTest(
        [("base", base), ("adapter", adapter)], {"spBLEU": theirs}, [right], "ar", 10_000
    ).__call__()
    first, second = results["BLEU"]
    ours = found[2]
    assert (ours["base"], ours["adapter"], ours["p_randomisation"]) == (first.score, second.score, second.p_value)
    assert ours["base"] != found[1]["base"]
    signed = f"{theirs.get_signature()}|spm:{hashlib.sha256(pieces.getvalue()).hexdigest()[:12]}"
    assert ours["signature"] == signed
    assert "tok:flores200" in signed


def test_equal_systems_do_not_differ(texts: dict[str, list[str]]) -> None:
    chrf = compare_on_task("write", [""] * 40, texts["right"], texts["base"], texts["base"])["scores"][0]
    assert (chrf["difference_ci95"], chrf["p_bootstrap"] > 0.9) == ([0.0, 0.0], False)
    # Nothing is larger than a difference of nothing that comes about by swapping nothing.
    assert chrf["p_randomisation"] == 1 / 10_001


def test_simplifications_are_scored_by_sari_against_everybody_s(texts: dict[str, list[str]]) -> None:
    sources, references = ["a b c d", "a b c d"], ["a b c", "a b d"]
    found = compare_on_task("simplify", sources, references, sources, ["a b c", "a b c"])
    assert [score["name"] for score in found["scores"]] == ["chrF++", "SARI"]
    sari = found["scores"][1]
    assert sari["adapter"] > sari["base"]
    assert found["readability"]["adapter"]["words_per_sentence"] == 3
    assert found["readability"]["source"]["words_per_sentence"] == 4


def test_classes_are_scored_by_whole_answers() -> None:
    right, base, adapter = ["Place", "Food, Place", "Food"], ["place", "Food", ""], ["Place", "place, food", "x"]
    (score,) = compare_on_task("classify", ["s"] * 3, right, base, adapter)["scores"]
    assert (score["name"], score["base"], score["adapter"]) == ("accuracy", *map(pytest.approx, (100 / 3, 200 / 3)))


def test_marks_are_scored_as_annotators_are() -> None:
    right = ["LOC: aa\nPER: bb\nPER: bb", "None.", "LOC: cc"]
    adapter = ["PER: bb\nLOC: aa", "LOC: dd", "LOC: cc"]
    (score,) = compare_on_task("label", ["s"] * 3, right, ["None."] * 3, adapter)["scores"]
    pairs = [
        ([(1, "PER"), (0, "LOC")], [(0, "LOC"), (1, "PER"), (2, "PER")]),
        ([(5, "LOC")], []),
        ([(7, "LOC")], [(7, "LOC")]),
    ]
    assert score["adapter"] == pytest.approx(100 * span_f1(pairs)["span_f1"])
    assert score["base"] == 0


def test_nothing_written_is_scored_by_nothing() -> None:
    assert compare_on_task("translate", [], [], [], []) == {"scores": []}


def test_the_interval_of_a_mean_difference_holds_it() -> None:
    interval = mean_difference([1.0, 2.0, 3.0, 4.0], [1.5, 2.4, 3.6, 4.5])
    assert interval.low < 0.5 < interval.high
