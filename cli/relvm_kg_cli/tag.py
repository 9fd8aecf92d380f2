"""`relvm-kg tag`."""

import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relvm_kg.types import EntityType
from relvm_kg_cli.options import epilog, with_console, with_ray, with_tagger
from relvm_kg_cli.output import Console

if TYPE_CHECKING:
    from relvm_kg.pipeline.tag import TaggedFile


@click.command(
    epilog=epilog(
        "relvm-kg tag pubmed21n1298.xml.gz --out tagged/ --format pubtator",
        "out, tagger, files (source, tagged, documents, sentences, mentions, tagged_mentions, unlinked_mentions, "
        "rejected, seconds), done_before, left_out, documents, seconds",
    )
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder of the results.")
@click.option("--format", "tagged_format", type=click.Choice(["jsonl", "pubtator"]), default="jsonl", show_default=True)
@click.option(
    "--type",
    "types",
    multiple=True,
    type=click.Choice([t.value.lower() for t in EntityType]),
    help="Tag only this type; may be given several times.",
)
@with_tagger
@with_ray
@with_console
def tag(  # noqa: PLR0913  one argument an option
    console: Console,
    *,
    files: tuple[str, ...],
    out: Path,
    tagged_format: str,
    types: tuple[str, ...],
    names: Path | None,
    type_model: Path | None,
    jobs: int | None,
    ray: str | None,
) -> None:
    """Find genes, diseases and chemicals in text and link them to ids.

    FILE is a file, folder or quoted glob: MEDLINE or BioC XML, BioC JSON, PubTator, or JSON lines with title, abstract
    and body; plain, gzip or xz. What a file annotates itself is kept, and only other types are tagged. The results are
    what `build --corpus` reads. Files that an earlier call finished with the same tagger are not tagged again.
    """
    from relvm_kg.pipeline.tag import JobRunner, TaggedFormat, TagRequest, run_here, tag_files
    from relvm_kg.pipeline.taggers import found_type_model, load_tagger

    started = time.monotonic()
    tagger = load_tagger(names, type_model)
    if tagger.type_classifier is None:
        console.say(
            "names with several types are told apart by a fixed rule; `relvm-kg train-types` makes a classifier"
        )
    request = TagRequest(
        out=out,
        tagger=tagger,
        types=tuple(EntityType(t.upper()) for t in types) or tuple(EntityType),
        tagged_format=TaggedFormat(tagged_format),
        jobs=jobs,
    )
    run: JobRunner = run_here
    if ray is not None:
        from relvm_kg.entities.names_file import default_names_path
        from relvm_kg.pipeline.cluster_work import tag_on

        run = tag_on(ray, names or default_names_path(), found_type_model(type_model))
    report = tag_files(files, request, console.progress, run)
    seconds = time.monotonic() - started
    if console.as_json:
        totals = {"documents": sum(f.documents for f in report.files), "seconds": round(seconds, 2)}
        console.document({"out": out, "tagger": tagger.fingerprint, **asdict(report), **totals})
        return
    console.table(
        ("file", "documents", "sentences", "mentions", "unlinked", "rejected", "documents/min"),
        [_row(file, file.source in report.done_before) for file in report.files],
    )
    for name in report.left_out:
        console.line(f"left out {name}: no text of a known format")
    for reason, n in sum((Counter(file.rejected) for file in report.files), Counter()).most_common():
        console.line(f"rejected {n:,}: {reason}")
    console.say(f"in {out}; next: relvm-kg build --corpus {out} --relations FILES")


def _row(file: "TaggedFile", done_before: bool) -> tuple[str | int | None, ...]:
    mentions = " ".join(f"{kind.lower()} {n:,}" for kind, n in sorted(file.mentions.items())) or "none"
    speed = None if done_before or not file.seconds else round(60 * file.documents / file.seconds)
    unlinked = sum(file.unlinked_mentions.values())
    return file.tagged, file.documents, file.sentences, mentions, unlinked, sum(file.rejected.values()), speed
