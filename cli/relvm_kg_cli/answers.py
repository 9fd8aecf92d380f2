"""Scored pairs as people read them."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from relvm_kg.pipeline.answers import Answer, NamedEntity, Ranking

_N_PMIDS = 8


def entity_text(entity: "NamedEntity") -> str:
    """Name, id and type."""
    return f"{entity.name} ({entity.id}, {entity.type})"


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


def notes(answer: "Answer") -> Iterator[str]:
    """What a person must know to read an answer."""
    if answer.stale:
        yield (
            f"run {answer.model} is stale: the corpus changed since it was trained; known and co-mentioned are as of "
            "now, the probability is not. Train again with relvm-kg train"
        )
    if answer.simulated:
        yield "simulated: this literature is generated, it says nothing about the world"
