"""`relvm-kg evaluate-tagger`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relvm_kg_cli.options import epilog, with_console
from relvm_kg_cli.output import Console

if TYPE_CHECKING:
    from relvm_kg.tagging.error_rows import ErrorRow

TESTS = ("bc5cdr-test", "ncbi-disease-test", "biored-dev")
_EXISTING = click.Path(path_type=Path, exists=True)


@click.command(
    epilog=epilog(
        "relvm-kg evaluate-tagger --gold bc5cdr-dev --learn bc5cdr-train --errors errors.tsv",
        "provenance, learned (n_forms, n_documents, n_documents_left_out), gold (each: name, title, sha256, is_test, "
        "facts, rejected, columns (name, what, documents_per_second, figures, as_annotated (each: type, mentions, "
        "concept_mentions, concepts, n_gold_without_id, n_predicted_without_id)), type_accuracy)",
    )
)
@click.option("--names", type=_EXISTING, help="Names catalogue; else the one that `names build` made.")
@click.option(
    "--gold",
    multiple=True,
    metavar="NAME|FILE",
    help=f"Annotated documents; may be given several times.  [default: {', '.join(TESTS)}]",
)
@click.option("--learn", multiple=True, metavar="NAME|FILE", help="Learn surface forms from these; a row of its own.")
@click.option("--type-model", type=_EXISTING, help="Type classifier; else the one that `train-types` made.")
@click.option(
    "--data", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Folder of the known gold sets."
)
@click.option("--resamples", type=click.IntRange(min=0), default=1000, show_default=True, help="Of the bootstrap.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the bootstrap.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it as JSON, and Markdown beside it.",
)
@click.option(
    "--errors",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what is wrong and missed as a table (TSV).",
)
@click.option("--show-test-errors", is_flag=True, help="List errors even for test sets; they are no test after that.")
@with_console
def evaluate_tagger(  # noqa: PLR0913  one argument an option
    console: Console,
    *,
    names: Path | None,
    gold: tuple[str, ...],
    learn: tuple[str, ...],
    type_model: Path | None,
    data: Path | None,
    resamples: int,
    seed: int,
    out: Path | None,
    errors: Path | None,
    show_test_errors: bool,
) -> None:
    """Measure the tagger, step by step, against human annotation.

    Known gold sets are bc5cdr-train, -dev, -test, ncbi-disease-train, -devel, -test, biored-train, -dev and tmvar; they
    are found under --data, RELVM_KG_DATA or the data cache. Any file of annotated documents does as well.

    Concepts are the pairs of document and id. Genes are scored after folding those of other species onto the human
    genes that the text names; the F1 of ids as they are annotated stands beside it.
    """
    from relvm_kg.entities.names_file import default_names_path
    from relvm_kg.files import atomic_path, write_json
    from relvm_kg.pipeline.evaluate_tagger import TaggerEvaluationPlan
    from relvm_kg.pipeline.evaluate_tagger import evaluate_tagger as measure
    from relvm_kg.pipeline.tagger_report import HEADINGS, markdown, report_tables
    from relvm_kg.pipeline.taggers import load_tagger

    classifier = load_tagger(names, type_model).type_classifier
    plan = TaggerEvaluationPlan(
        names=names or default_names_path(),
        gold=gold or TESTS,
        learn=learn,
        data=data,
        n_resamples=resamples,
        seed=seed,
        show_test_errors=show_test_errors,
        errors_wanted=errors is not None,
    )
    if show_test_errors:
        console.say("errors of test sets are listed: what is changed after reading them is not tested by these sets")
    done = measure(plan, classifier, console.progress)
    result = done.as_mapping()
    if out is not None:
        write_json(out, result)
        with atomic_path(out.with_suffix(".md")) as partial:
            partial.write_text(markdown(result), encoding="utf-8")
    if errors is not None:
        with atomic_path(errors) as partial:
            partial.write_text("".join(_error_lines(done.errors)), encoding="utf-8")
    if console.as_json:
        console.document(result)
        return
    for table in report_tables(result):
        console.line(f"{table.title} ({table.facts})")
        console.table(HEADINGS, table.rows)
        console.line()
    for path in (out, errors):
        if path is not None:
            console.say(f"written: {path}")


def _error_lines(errors: Mapping[str, "tuple[ErrorRow, ...]"]) -> Iterator[str]:
    from relvm_kg.tagging.error_rows import ErrorRow

    yield "\t".join(("gold_set", *ErrorRow._fields)) + "\n"
    for name, rows in errors.items():
        for row in rows:
            yield "\t".join((name, *(str(value) for value in row))) + "\n"
