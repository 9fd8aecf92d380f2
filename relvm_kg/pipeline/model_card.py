"""The model card: what a run is, what it was trained on, how healthy it is, and what not to use it for."""

from pathlib import Path
from typing import Any

from relvm_kg.pipeline.health_text import health_rows
from relvm_kg.workspace import atomic_path


def write_model_card(folder: Path, report: dict[str, Any]) -> None:
    """Write `MODEL_CARD.md` from a run's report."""
    with atomic_path(folder / "MODEL_CARD.md") as temporary:
        temporary.write_text(_card(report), encoding="utf-8")


def _card(report: dict[str, Any]) -> str:
    config, pair = report["config"], report["pair_classifier"]
    lines = [
        f"# RELVM model {report['run_id']}",
        "",
        f"Preset `{config['preset']}`, {config['model']['hidden']} hidden units, "
        f"{report['n_parameters_without_embeddings']:,} weights without embeddings, {config['n_entities']:,} entities, "
        f"{config['n_vocabulary']:,} tokens. "
        f"Trained by relvm-kg {config['program_version']} at {config['created_at']} on "
        f"{report['n_training_contexts']:,} contexts for "
        f"{report['epochs']:g} epochs (corpus `{config['corpus_hash'][:12]}`).",
        "",
    ]
    if report["simulated"]:
        lines += ["**The corpus is simulated: nothing this model says is a fact about biology.**", ""]
    lines += ["## Health on held-out documents", ""]
    rows = health_rows(report["health"], report.get("language_model"))
    lines += [*(f"* {label}: {text}" for label, text in rows), ""]
    lines += [
        "## Pair-level classifier",
        "",
        f"Average precision on validation pairs {pair['validation_average_precision']:.3f} at a prevalence of "
        f"{pair['validation_prevalence']:.3f}; best F1 {pair['validation_f1']:.3f} above {pair['threshold']:.3f}. "
        "Probabilities are not calibrated: they hold for the mixture of the training batches, whose share of "
        "known relations is",
        "",
        *(f"* {label}: {share:.3f}" for label, share in pair["training_prevalence"].items()),
        "",
        f"Negatives are {_negatives(pair['config'])}: unlabelled, not false.",
        "",
        "## Use",
        "",
        "For ranking hypotheses that a person then checks. Not for decisions about patients. A pair of entities "
        "without training text is refused.",
        "",
    ]
    return "\n".join(lines)


def _negatives(config: dict[str, Any]) -> str:
    if config["negatives"] != "co-mentioned":
        return f"{config['negatives']} pairs"
    return (
        f"co-mentioned pairs without a known relation, {config['random_share']:.0%} of them random typed pairs instead"
    )
