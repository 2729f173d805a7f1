"""Bits per byte of models whose answer is known beforehand."""

import math
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from tokenizers import Regex, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Split
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from training.evaluation import likelihood
from training.evaluation.likelihood import IGNORED, completion_loss, sentence_losses, sentence_readings
from training.evaluation.scores import bits_per_byte
from training.recipes.text import Row, encode, pack

VOCABULARY = 64


@pytest.fixture
def model():
    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        tie_word_embeddings=False,
    )
    return LlamaForCausalLM(config).eval()


def batch_of(*lengths, prompt=2, first=0):
    """Packed rows of these lengths."""
    ids = torch.arange(first, first + sum(lengths)) % VOCABULARY
    places = torch.cat([torch.arange(length) for length in lengths])
    rows = torch.cat([torch.full((length,), row) for row, length in enumerate(lengths)])
    labels = ids.masked_fill(places < prompt, IGNORED)
    return {
        name: value[None]
        for name, value in zip(
            ("input_ids", "position_ids", "labels", "rows"), (ids, places, labels, rows), strict=True
        )
    }


def test_a_uniform_model_needs_the_same_bits_for_every_token(model):
    torch.nn.init.zeros_(model.lm_head.weight)
    nats = sentence_losses(model, batch_of(9, 5))
    # 7 and 3 completion tokens of six bits, for texts of 14 and 6 bytes.
    assert bits_per_byte(nats, [14, 6]) == pytest.approx(10 * math.log2(VOCABULARY) / 20)


def test_each_sentence_s_loss_is_what_the_library_gives_for_it_alone(model):
    sums = sentence_losses(model, batch_of(9, 5))
    for total, alone in zip(sums, (batch_of(9), batch_of(5, first=9)), strict=True):
        library = model(input_ids=alone["input_ids"], labels=alone["labels"]).loss
        assert total == pytest.approx(float(library.detach()) * (alone["labels"].numel() - 2), rel=1e-4)


def test_the_prompt_bears_no_loss(model):
    batch = batch_of(9)
    before = sentence_losses(model, batch)[0]
    batch["labels"][0, :2] = batch["input_ids"][0, :2]
    assert sentence_losses(model, batch)[0] > before


def test_what_follows_changes_no_loss_before_it(model):
    first, second = batch_of(9, 5), batch_of(9, 5)
    second["input_ids"][0, -1] = 1
    assert sentence_losses(model, first)[0] == sentence_losses(model, second)[0]


def naive(model, batch):
    """All scores at once, of prompts too, as the formula says it."""
    logits = model(input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False).logits
    return F.cross_entropy(logits[0, :-1], batch["labels"][0, 1:], ignore_index=IGNORED, reduction="sum")


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("frozen", [False, True])
def test_piece_by_piece_loss_and_gradient_are_those_of_the_whole(model, monkeypatch, tied, frozen):
    if tied:
        model.lm_head.weight = model.model.embed_tokens.weight
    model.lm_head.weight.requires_grad = not frozen
    batch = batch_of(9, 14, 5)
    found = []
    for rows in (None, 1, 3, 7, 1000):
        model.zero_grad()
        if rows is None:
            loss = naive(model, batch) / 22
        else:
            monkeypatch.setattr(likelihood, "LOGITS_BYTES", rows * 4 * VOCABULARY)
            loss = completion_loss(model, batch) / 22
        loss.backward()
        found.append(
            (float(loss.detach()), {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None})
        )
    (expected, gradients), *ours = found
    for loss, mine in ours:
        assert loss == pytest.approx(expected, rel=1e-5)
        assert mine.keys() == gradients.keys()
        assert all(torch.allclose(mine[name], gradients[name], atol=1e-5, rtol=1e-5) for name in mine)


class Largest(TorchDispatchMode):
    """The most bytes of any result whose last dimension is the vocabulary's, weights apart."""

    def __init__(self, vocabulary, width):
        super().__init__()
        self.vocabulary, self.width, self.bytes = vocabulary, width, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for value in result if isinstance(result, tuple | list) else (result,):
            if (
                isinstance(value, torch.Tensor)
                and value.shape[-1:] == (self.vocabulary,)
                and value.shape[0] != self.width
            ):
                self.bytes = max(self.bytes, value.numel() * value.element_size())
        return result


def test_scores_of_a_large_vocabulary_never_take_more_than_64_mb(model):
    vocabulary = 49_152
    model.lm_head = torch.nn.Linear(16, vocabulary, bias=False)
    batch = batch_of(1024, 1024)
    with Largest(vocabulary, 16) as naively:
        naive(model, batch)
    with Largest(vocabulary, 16) as ours:
        completion_loss(model, batch).backward()
    assert naively.bytes > 400_000_000
    assert 30_000_000 < ours.bytes <= 64 << 20


def test_an_output_layer_with_a_bias_is_read_too(model):
    batch = batch_of(9, 5)
    model.lm_head = torch.nn.Linear(16, VOCABULARY)
    assert float(completion_loss(model, batch).detach()) == pytest.approx(float(naive(model, batch).detach()), rel=1e-5)


def test_a_uniform_model_is_as_unsure_as_can_be(model):
    torch.nn.init.zeros_(model.lm_head.weight)
    batch = batch_of(9, 5)
    readings = sentence_readings(model, batch)
    assert [entropy for _, entropy in readings] == pytest.approx([math.log2(VOCABULARY)] * 2)
    assert [nats for nats, _ in readings] == pytest.approx(sentence_losses(model, batch))


def test_entropy_is_of_each_row_alone_and_falls_as_the_model_gets_sure(model):
    batch = batch_of(9, 5)
    before = sentence_readings(model, batch)
    for reading, alone in zip(before, (batch_of(9), batch_of(5, first=9)), strict=True):
        assert sentence_readings(model, alone)[0] == pytest.approx(reading, rel=1e-4)
    with torch.no_grad():
        model.lm_head.weight.mul_(50)
    after = sentence_readings(model, batch)
    assert all(sure[1] < unsure[1] / 2 for sure, unsure in zip(after, before, strict=True))


def test_a_row_without_an_answer_has_no_reading(model):
    batch = batch_of(5, 4)
    batch["labels"][0, 5:] = IGNORED
    assert sentence_readings(model, batch)[1] == (0.0, 0.0)


LETTERS, ENDS = "aeghintu", 0.01


def cut_by(width):
    """A tokenizer that cuts text into tokens of so many letters, and the tiny model for which every letter is as likely
    as it is for the other, whatever came before."""
    words = ["".join(letters) for letters in product(LETTERS, repeat=width)]
    tokenizer = Tokenizer(WordLevel({"</s>": 0, **{word: place + 1 for place, word in enumerate(words)}}))
    tokenizer.pre_tokenizer = Split(Regex("." * width), "isolated")
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>")
    fast.chat_template = "</s>"
    likely = {letter: (place + 1) / 36 for place, letter in enumerate(LETTERS)}
    shares = [ENDS, *(math.prod((1 - ENDS) * likely[letter] for letter in word) for word in words)]
    size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(shares), num_key_value_heads=1, **size)).eval()
    model.lm_head = torch.nn.Linear(16, len(shares))
    torch.nn.init.zeros_(model.lm_head.weight)
    model.lm_head.bias = torch.nn.Parameter(torch.tensor(shares).log())
    return fast, model


def test_bits_per_byte_do_not_depend_on_how_a_tokenizer_cuts():
    texts = ["heing" * 6, "tatutati" * 5, "ggaahh" * 9, "nite" * 11]
    found, tokens = [], []
    for width in (1, 2):
        tokenizer, model = cut_by(width)
        rows = [Row(str(place), "", "", text) for place, text in enumerate(texts)]
        examples = [encode(tokenizer, row, max_length=99) for row in rows]
        tokens.append(sum(len(example.tokens) - example.prompt for example in examples))
        found.append(bits_per_byte(sentence_losses(model, pack(examples)), [len(text) for text in texts]))
    assert tokens[0] > 1.9 * tokens[1]
    # The pairs' shares add up to a little less than those of single letters, by how likely an end is.
    assert found[1] == pytest.approx(found[0], rel=0.005)
    per_token = [bits * sum(map(len, texts)) / number for bits, number in zip(found, tokens, strict=True)]
    assert per_token[1] > 1.8 * per_token[0]
