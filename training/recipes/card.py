"""The model card (README.md) of an adapter: Mitchell et al. 2019, with the head that the Hugging Face Hub reads."""

from __future__ import annotations

from typing import Any

from training.recipes.configuration import METHODS, WHOLE_MODELS
from training.recipes.metadata import HARM, LICENCE, beside_section, consent_section, languages, with_head

# What the Hub calls the base model that a package carries.
ON_THE_HUB = {"smollm2-135m-instruct": "HuggingFaceTB/SmolLM2-135M-Instruct"}
# What it calls kinds of task; the others are text-generation.
TASKS = {"translate": "translation"}

KINDS = {"variety": "Variety ", "orthography": "Orthography ", "spelling": "Without accents and marks in the "}
SAYS = {
    "better": "better than the base",
    "worse": "worse than the base",
    "unsure": "not surely different",
    "few": "too few to say",
}


def card_of(report: dict[str, Any]) -> str:
    """The card in Markdown, from a run's report."""
    evaluation, data = report["evaluation"], report["data"]
    low, high = evaluation["bpb_difference_ci95"]
    better = evaluation["adapter_bpb"] < evaluation["base_bpb"]
    base_chrf, adapter_chrf = evaluation["base_chrf"], evaluation["adapter_chrf"]
    verdict = "better" if better else "not better"
    made = f"{METHODS[report['method']]} " + ("model" if report["method"] in WHOLE_MODELS else "adapter")
    card = f"""# {name_of(report)}

A {made} for the base model `{report["base"]["path"]}`
(weights SHA-256 `{report["base"]["sha256"]}`).

- Adapter SHA-256 (sorted tensor names and bytes): `{report["adapter_sha256"]}`
- Trained on {data["train"]["used"]} sentences, validated on {data["validation"]["used"]}; training file SHA-256
  `{data["train"]["sha256"]}`. The release's manifest names the consent receipt of every sentence.
- {report["tokens"]} tokens in {report["seconds"]:.0f} s on {report["environment"]["device"]}.

## Evaluation on {evaluation["items"]} held-out sentences

No document and no contributor of them was trained on. On them the adapter is {verdict} than the base model.

| | base | adapter |
|---|---|---|
| bits per byte (lower is better) | {evaluation["base_bpb"]:.3f} | {evaluation["adapter_bpb"]:.3f} |
| chrF++ on {evaluation["generated_items"]} (higher is better) | {base_chrf:.1f} | {adapter_chrf:.1f} |

95 % interval of the difference in bits per byte: {low:.3f} to {high:.3f}.
{besides(evaluation)}{ranks_of(report)}{beside_section(report)}{consent_section(report["consent"])}
## Use and limits

For trying out, and for drafts that a speaker checks. It invents, it mixes varieties, and its words are no
evidence of how the language is spoken. It may be used only while the consent behind its data holds: when
words are withdrawn, it is taken out of use and trained again without them.

{HARM}
{carbon_of(report["energy"])}"""
    return with_head(head_of(report), card)


def name_of(report: dict[str, Any]) -> str:
    """What the adapter is called."""
    return f"Adapter: {report['language']['source_name']} to {report['language']['target_name']}"


def head_of(report: dict[str, Any]) -> dict[str, Any]:
    """What the Hub reads: https://huggingface.co/docs/hub/model-cards."""
    base, language, is_whole = report["base"]["path"], report["language"], report["method"] in WHOLE_MODELS
    return {
        "language": languages([language["source_tag"], language["target_tag"]]),
        **LICENCE,
        "library_name": "transformers" if is_whole else "peft",
        "base_model": ON_THE_HUB.get(base, base),
        "base_model_relation": "finetune" if is_whole else "adapter",
        "pipeline_tag": "text-generation",
        "tags": [report["method"], "low-resource", "consent"],
        "co2_eq_emissions": emissions_of(report),
        "model-index": [{"name": name_of(report), "results": [results_of(report)]}],
    }


def emissions_of(report: dict[str, Any]) -> dict[str, Any] | None:
    """Grams of CO2 equivalents, as the Hub wants them; None where no grid was named or no power known."""
    energy = report["energy"]
    if energy["grams_co2"] is None:
        return None
    grid, environment = energy["grid"], report["environment"]
    device = environment["device"]
    return {
        "emissions": energy["grams_co2"],
        "source": f"{energy['wh']} Wh, {energy['source']}; {grid['grams_per_kwh']:g} g/kWh by {grid['source']},"
        f" {grid['year']}",
        "training_type": "fine-tuning",
        "geographical_location": grid["region"],
        "hardware_used": environment["processor"] if device == "cpu" else device,
    }


def results_of(report: dict[str, Any]) -> dict[str, Any]:
    """What was measured on the held-out sentences."""
    evaluation, consent = report["evaluation"], report["consent"] or {}
    return {
        "task": {"type": TASKS.get(consent.get("kind", ""), "text-generation")},
        "dataset": {
            "type": "wordhearth-release",
            "name": consent.get("project", "held-out sentences"),
            "split": "test",
            **({"revision": report["release"]["sha256"]} if report["release"]["sha256"] else {}),
        },
        "metrics": [
            {"type": "bits_per_byte", "name": "bits per byte", "value": round(evaluation["adapter_bpb"], 4)},
            {"type": "chrf", "name": "chrF++", "value": round(evaluation["adapter_chrf"], 2)},
        ],
    }


def carbon_of(energy: dict[str, Any]) -> str:
    """What the run took."""
    told = f"""## Electricity and carbon

{energy["wh"]:.3g} Wh, between {energy["wh_low"]:.3g} and {energy["wh_high"]:.3g}: {energy["source"]}; times
{energy["pue"]:g} for the building.
"""
    if energy["grams_co2"] is None:
        return told
    grid = energy["grid"]
    return told + (
        f"That is {energy['grams_co2']:.3g} g of CO2 equivalents, between {energy['grams_co2_low']:.3g} and "
        f"{energy['grams_co2_high']:.3g}, at {grid['grams_per_kwh']:g} g\nfor each kWh in {grid['region']} "
        f"({grid['source']}, {grid['year']}). Making the base model took more, and is not in it.\n"
    )


def besides(evaluation: dict[str, Any]) -> str:
    """What the card says of what it knows by heart, of varieties and spellings, and of other seeds; nothing of what was
    not measured."""
    lines = []
    if found := evaluation.get("memorisation"):
        low, high = found["over_control_ci95"]
        lines.append(
            f"- Known by heart: {found['over_control']:+.2f} bits of exposure over held-out answers (95 % interval\n"
            f"  {low:.2f} to {high:.2f}); it writes {found['recited']:.0%} of {found['rows']} answers that it learnt"
            f" from word by word\n  when asked, and {found['recited_held_out']:.0%} of held-out ones."
        )
    for kind, parts in evaluation.get("robustness", {}).items():
        for part in parts:
            low, high = part["difference_ci95"]
            lines.append(
                f"- {KINDS[kind]}{part['name'] or 'unknown'}, {part['sentences']} sentences: bits per byte\n"
                f"  {part['base_bpb']:.3f} (base), {part['adapter_bpb']:.3f} (adapter); difference {low:.3f} to"
                f" {high:.3f}: {SAYS[part['says']]}."
            )
    if "bpb" in (seeds := evaluation.get("seeds", {})):
        lines.append(
            f"- Over {seeds['bpb']['number']} seeds of training: {seeds['bpb']['mean']:.3f} ±"
            f" {seeds['bpb']['deviation']:.3f} bits per byte (standard deviation)."
        )
    return "".join(f"{line}\n" for line in ["", *lines]) if lines else ""


def ranks_of(report: dict[str, Any]) -> str:
    """What the card says about the ranks inside the adapter; nothing where there is only one."""
    if "ranks" not in report:
        return ""
    ranks = report["ranks"]
    rows = "\n".join(f"| {row['rank']} | {row['bpb']:.3f} | {row['bytes']} |" for row in ranks["measured"])
    return f"""
Every rank up to {report["recipe"]["rank"]} is an adapter of its own. On {ranks["items"]} validation sentences, rank
{ranks["advised"]} is as good as the best, as far as can be told.

| rank | bits per byte | bytes |
|---|---|---|
{rows}
"""
