"""Scored pairs as people read them."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from relvm_kg_cli.output import Console

if TYPE_CHECKING:
    from relvm_kg.pipeline.answers import Answer, NamedEntity, Ranking
    from relvm_kg.pipeline.text_session import TextReport

_N_PMIDS = 8
_N_SENTENCES = 3


def entity_text(entity: "NamedEntity") -> str:
    """Name, id and type, and what the vector rests on where training never saw the entity."""
    n = entity.from_sentences
    rests_on = "" if n is None else f"; vector from {n:,} sentence{'s' * (n != 1)} of the given text"
    return f"{entity.name} ({entity.id}, {entity.type}{rests_on})"


def answer_rows(answer: "Answer", known: dict[str, Any] | None) -> Iterator[tuple[str, str]]:
    """One answer, label by label."""
    yield "head", entity_text(answer.head)
    yield "tail", entity_text(answer.tail)
    yield "relation", answer.relation
    prevalence = f"training prevalence {answer.training_prevalence:.3f}"
    yield "probability", f"{answer.probability:.4f} (calibrated: {str(answer.calibrated).lower()}; {prevalence})"
    yield "uncertainty", f"{answer.uncertainty:.4f} nats"
    yield "known", _known_text(answer, known)
    yield "co-mentioned", _documents_text(answer)
    yield "model", f"{answer.model}{' (stale)' if answer.stale else ''}"
    if answer.simulated:
        yield "simulated", "true"


def _known_text(answer: "Answer", known: dict[str, Any] | None) -> str:
    if answer.known is None:
        return "- (the workspace holds no corpus)"
    if not answer.known or known is None:
        return "no"
    pmids = known["pmids"]
    shown = ", ".join(pmids[:_N_PMIDS]) + (f" and {len(pmids) - _N_PMIDS} more" if len(pmids) > _N_PMIDS else "")
    kind = "PMID" if all(pmid.isdecimal() for pmid in pmids) else "documents"
    stated = f"{kind} {shown}" if pmids else "no PMID"
    return f"yes: {', '.join(known['predicates']) or 'no predicate'} ({stated}; {', '.join(known['sources'])})"


def _documents_text(answer: "Answer") -> str:
    if answer.n_documents is None:
        return "- (the workspace holds no corpus)"
    if not answer.n_documents:
        return "no"
    return f"yes, in {answer.n_documents:,} document{'s' if answer.n_documents > 1 else ''}"


RANKING_COLUMNS = (
    "rank",
    "id",
    "name",
    "relation",
    "probability",
    "uncertainty",
    "known",
    "co-mentioned",
    "documents",
    "calibrated",
    "prevalence",
)


def ranking_rows(answers: Iterable["Answer"], entity: str) -> Iterator[list[Any]]:
    """Rows of a ranking: the partner of `entity` (an id) in each answer."""
    for place, answer in enumerate(answers, start=1):
        partner = answer.tail if answer.head.id == entity else answer.head
        yield [
            place,
            partner.id,
            partner.name,
            answer.relation,
            answer.probability,
            answer.uncertainty,
            answer.known,
            answer.co_mentioned,
            answer.n_documents,
            answer.calibrated,
            answer.training_prevalence,
        ]


def scant_text(ranking: "Ranking") -> str:
    """The warning that little is written of an entity."""
    n = ranking.n_documents
    return (
        f"only {n:,} document{'s' if n != 1 else ''} here mention{'s' if n == 1 else ''} "
        f"{entity_text(ranking.entity)}: a ranking from so little text says next to nothing"
    )


def marked(text: str, spans: Iterable[tuple[int, int] | None], console: Console) -> str:
    """A sentence with its mentions made to stand out."""
    for start, end in sorted((span for span in spans if span is not None), reverse=True):
        text = text[:start] + console.bold(text[start:end]) + text[end:]
    return text


def text_lines(report: "TextReport", console: Console) -> Iterator[str]:
    """The first sentences of the given text behind an answer."""
    for one in report.sentences[:_N_SENTENCES]:
        yield f"{one.file} {one.doc_id}#{one.sentence_index}{'' if one.year is None else f' {one.year}'}"
        yield f"  {marked(one.sentence, (one.head_span, one.tail_span), console)}"


def text_words(report: "TextReport") -> Iterator[str]:
    """What the given text had to do with an answer."""
    files = " and ".join(report.files)
    if not report.entities:
        yield f"training saw every entity asked for, so that {files} changed no vector"
    for entity in report.entities:
        yield (
            f"training never saw {entity.name} ({entity.id}): its vector rests on {entity.n_sentences:,} "
            f"sentence{'s' * (entity.n_sentences != 1)} of {entity.n_documents:,} document"
            f"{'s' * (entity.n_documents != 1)} of {files}, with {entity.n_partners:,} entities that the run knows"
        )
    if len(report.sentences) > _N_SENTENCES:
        yield f"{len(report.sentences):,} such sentences in {files}; --json lists them all"


def notes(answer: "Answer") -> Iterator[str]:
    """What a person must know to read an answer."""
    if answer.stale:
        yield (
            f"run {answer.model} is stale: the corpus changed since it was trained; known and co-mentioned are as of "
            "now, the probability is not. Train again with relvm-kg train"
        )
    if answer.simulated:
        yield "simulated: this literature is generated, it says nothing about the world"
