"""The card of an adapter: what the Hub reads of it, what people read, and nothing personal."""

import pytest
from huggingface_hub import ModelCard

from tests.frontend.made import ENERGY, report
from training.recipes.card import card_of

CONSENT = {
    "community": "Test Otomí",
    "project": "First: sentences",
    "kind": "translate",
    "purpose": "train_noncommercial",
    "contributors": 3,
    "receipts": 4,
    "licences": {"CC0": 12},
    "labels": ["TK Attribution (TK A)"],
}
SPLIT = {"used": 12, "rows": 12, "sha256": "b" * 64}


def made(**changed):
    """A report as the recipe writes it."""
    return {
        **report(),
        "method": "qlora",
        "base": {"path": "smollm2-135m-instruct", "sha256": "c" * 64},
        "language": {"source_name": "Spanish", "source_tag": "es-MX", "target_name": "Otomí", "target_tag": "ote"},
        "data": {"train": SPLIT, "validation": SPLIT, "test": SPLIT},
        "release": {"sha256": "d" * 64},
        "environment": {"device": "cpu", "processor": "A processor"},
        "consent": CONSENT,
        **changed,
    }


@pytest.fixture
def card():
    return ModelCard(card_of(made()))


def test_the_hub_reads_what_it_is(card):
    data = card.data
    assert (data.base_model, data.library_name) == ("HuggingFaceTB/SmolLM2-135M-Instruct", "peft")
    assert (data.language, data.license, data.license_name) == (["es", "ote"], "other", "community-consent")
    (chrf,) = [result for result in data.eval_results if result.metric_type == "chrf"]
    assert (chrf.metric_value, chrf.task_type, chrf.dataset_revision) == (21.5, "translation", "d" * 64)


def test_the_hub_reads_what_it_emitted_by_which_source_of_which_year(card):
    emissions = card.data.co2_eq_emissions
    assert emissions["emissions"] == ENERGY["grams_co2"]
    assert emissions["source"].endswith("112.758 g/kWh by A table, 2023")
    assert (emissions["training_type"], emissions["geographical_location"]) == ("fine-tuning", "NZL")
    assert emissions["hardware_used"] == "A processor"


def test_people_read_consent_labels_limits_harms_and_carbon(card):
    for words in (
        "- Purpose: `train_noncommercial`\n- Contributors: 3; consent receipts: 4\n",
        "- TK Attribution (TK A)",
        "## Use and limits",
        "**Health and law**",
        "no medical or legal\n  advice",
        "0.2 Wh, between 0.1 and 0.3: estimated from processor time",
        "0.023 g of CO2 equivalents, between 0.011 and 0.034, at 112.758 g\nfor each kWh in NZL (A table, 2023)",
    ):
        assert words in card.text, words


def test_without_a_grid_no_carbon_is_told_and_without_a_release_no_consent():
    energy = {**ENERGY, "grams_co2": None, "grid": None}
    card = ModelCard(card_of(made(energy=energy, consent=None, release={"sha256": ""})))
    assert "co2_eq_emissions" not in card.data
    assert "CO2" not in card.content
    assert "## Consent" not in card.content


def test_no_sample_and_no_sentence_is_in_it(card):
    for sample in report()["evaluation"]["samples"]:
        for words in (sample["source"], sample["reference"], sample["adapter"], sample["id"]):
            assert words not in card.content


def test_a_whole_model_is_no_adapter_of_its_base():
    data = ModelCard(card_of(made(method="full"))).data
    assert (data.library_name, data.base_model_relation) == ("transformers", "finetune")
