"""`relvm-kg train`."""

from typing import Any

import click

from relvm_kg.model.presets import Bound, PairScope, Precision, Preset, Size
from relvm_kg.progress import Silent
from relvm_kg_cli.options import DEVICES, epilog, open_workspace, with_console
from relvm_kg_cli.output import Console


@click.command(
    epilog=epilog(
        "relvm-kg train --workspace W --size x-small --epochs 2",
        "run_id, folder, model_card, finished_before, config, steps, epochs, n_training_contexts, n_parameters, "
        "weights, health, language_model, pictures, pair_classifier, mention_classifier, simulated",
    )
)
@click.option("--preset", type=click.Choice([p.value for p in Preset]), default="default", show_default=True)
@click.option("--size", type=click.Choice([s.value for s in Size]), default="x-small", show_default=True)
@click.option("--run", "run_id", metavar="RUN", help="Name of the run; else made of preset, size, settings and corpus.")
@click.option("--epochs", type=float, help="Passes over the training contexts.")
@click.option("--batch-size", type=int, help="Contexts a step.")
@click.option("--learning-rate", type=float, help="Of Adam.")
@click.option("--decay", type=float, help="Share of the steps over which the learning rate falls to zero.")
@click.option("--anneal", type=float, help="Iterations (a share of them below 1) over which the KL weight rises to 1.")
@click.option("--token-dropout", type=float, help="Share of input tokens that the decoder does not see.")
@click.option("--type-share", type=float, help="Share of contexts whose entities are replaced by their types.")
@click.option("--bound", type=click.Choice([b.value for b in Bound]), help="What the bound is averaged over.")
@click.option("--gradient-limit", type=float, help="Largest norm of a gradient; 0 leaves them.")
@click.option("--max-contexts", type=int, help="Train on a sample of this many contexts; 0 takes all.")
@click.option(
    "--pair-scope",
    type=click.Choice([s.value for s in PairScope]),
    help="Pairs to learn relations from: co-mentioned ones, or all known ones with text too.  [default: co-mentioned]",
)
@click.option("--pair-steps", type=click.IntRange(min=1), help="Steps at most of the pair-level classifier.")
@click.option("--mention-steps", type=click.IntRange(min=1), help="Steps at most of the mention-level classifier.")
@click.option("--precision", type=click.Choice([p.value for p in Precision]), help="Of large matrix products.")
@click.option("--probes", type=int, help="Measurements on held-out contexts during training.")
@click.option("--seed", type=int, help="Of every random draw.")
@click.option("--device", type=click.Choice(DEVICES), default="auto", show_default=True, help="Where to compute.")
@click.option(
    "--language-model-share",
    type=click.FloatRange(0, 1),
    default=0.25,
    show_default=True,
    help="Train a language model without z beside it, on this share of the contexts that the run sees; 0: none.",
)
@click.option(
    "--no-language-model", "language_model_share", flag_value=0.0, type=float, help="The same as a share of 0."
)
@click.option("--allow-collapse", is_flag=True, help="Keep a run whose representation does not carry the pair.")
@with_console
def train(
    console: Console,
    *,
    preset: str,
    size: str,
    run_id: str | None,
    device: str,
    allow_collapse: bool,
    **training: Any,
) -> None:
    """Train a model on the corpus and make it the default.

    Options without a default take the preset's value. The same command goes on where an interrupted one stopped, and
    says so when there is nothing left to do. Several processes share the work, one for each GPU, as in
    torchrun --nproc-per-node 2 --no-python -- relvm-kg train ....
    """
    from relvm_kg.pipeline.train import train_run
    from relvm_kg.pipeline.train_plan import plan_training
    from relvm_kg.training.device import Device
    from relvm_kg.training.processes import is_helper

    workspace = open_workspace(console)
    share = training.pop("language_model_share")
    plan = plan_training(workspace, Preset(preset), Size(size), run_id, training)
    request = plan.request(Device(device), allow_collapse=allow_collapse, language_model_share=share)
    if is_helper():
        train_run(workspace, request, Silent())
        return
    console.say(f"run {request.run_id}{', finished before' if plan.is_finished else ''}")
    report = train_run(workspace, request, console.progress)
    folder = workspace.runs_dir / request.run_id
    card = folder / "MODEL_CARD.md"
    if console.as_json:
        console.document({**report, "folder": folder, "model_card": card, "finished_before": plan.is_finished})
        return
    for line in report_lines(report):
        console.line(line)
    console.line(f"{'model card':<24}{card}")
    console.say("it is now the workspace's default run; next: relvm-kg rank --entity NAME, relvm-kg predict")


def report_lines(report: dict[str, Any]) -> list[str]:
    """A run's report for people."""
    from relvm_kg.pipeline.health_text import health_rows

    pair, mention = report["pair_classifier"], report["mention_classifier"]
    rows = [
        ("run", report["run_id"]),
        ("trained", f"{report['epochs']:g} epochs of {report['n_training_contexts']:,} contexts"),
        ("weights", f"{report['n_parameters_without_embeddings']:,} and the vectors of entities and tokens"),
        *_kept(report.get("weights")),
        *health_rows(report["health"], report.get("language_model")),
        ("pictures", ", ".join(report.get("pictures", ())) or "none"),
        (
            "pair classifier",
            f"average precision {pair['validation_average_precision']:.3f} on validation pairs, prevalence "
            f"{pair['validation_prevalence']:.3f}; best F1 {pair['validation_f1']:.3f} above {pair['threshold']:.3f}",
        ),
        (
            "mention classifier",
            "none: no sentence comes from a document with a curated pair"
            if mention is None
            else f"average precision {mention['validation_average_precision']:.3f} on validation sentences, prevalence "
            f"{mention['validation_prevalence']:.3f}",
        ),
        ("calibrated", "no: probabilities hold for the mixture of the training batches"),
    ]
    if report["simulated"]:
        rows.append(("simulated", "true: the corpus is generated, nothing this model says is about the world"))
    return [f"{label:<24}{text}" for label, text in rows]


def _kept(weights: dict[str, Any] | None) -> list[tuple[str, str]]:
    """Which weights the run ended with; runs of earlier versions do not say."""
    return [] if weights is None else [("weights from", f"step {weights['from_step']:,}: {weights['chosen_by']}")]
