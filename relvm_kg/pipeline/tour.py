"""The answers that a demonstration ends with: a ranking, a score with its sentences, a query and an export."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from relvm_kg.pipeline.answers import (
    Answer,
    EvidenceSentence,
    Ranking,
    ScoreAnswer,
    find_evidence,
    rank_partners,
    score_pair,
)
from relvm_kg.pipeline.graph import ask
from relvm_kg.pipeline.session import Session
from relvm_kg.progress import Progress
from relvm_kg.types import EntityType
from relvm_kg_graph.export import ExportFormat, ExportReport, export_graph
from relvm_kg_graph.queries import named_query
from relvm_kg_graph.schema import EdgeType
from relvm_kg_graph.store import QueryResult, Selection

EVIDENCE_SHOWN = 3
_MANY = 1000


@dataclass(frozen=True, kw_only=True)
class TourRequest:
    """What to ask."""

    entity: str
    """A gene, as a person types it."""
    export: Path
    """Folder for the export."""
    command: str
    """The command that the export's manifest names."""
    top: int = 10
    """Rows of the ranking and of the query."""


@dataclass(frozen=True, kw_only=True)
class Tour:
    """The answers."""

    request: TourRequest
    ranking: Ranking
    """Diseases of the entity whose relation is not curated."""
    known: ScoreAnswer
    """The score of a pair with evidence, a known one if there is one."""
    evidence: tuple[EvidenceSentence, ...]
    novel_edges: QueryResult
    export: ExportReport

    def commands(self, workspace: Path) -> list[str]:
        """What leads to the same answers, as it is typed."""
        place, request = f"--workspace {workspace}", self.request
        head, tail = self.known.answers[0].head, self.known.answers[0].tail
        return [
            f"relvm-kg rank --entity {request.entity} --type disease --top {request.top} --novel {place}",
            f"relvm-kg score {head.id} {tail.id} {place}",
            f"relvm-kg evidence {head.id} {tail.id} --limit {EVIDENCE_SHOWN} {place}",
            f"relvm-kg query --named novel-edges --param top={request.top} {place}",
            f"relvm-kg export {request.export} --edges predicted {place}",
            f"relvm-kg info {place}",
        ]

    def as_mapping(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "ranking": [answer.as_mapping() for answer in self.ranking.answers],
            "score": [answer.as_mapping() for answer in self.known.answers],
            "known_relation": self.known.known_relation,
            "evidence": [asdict(sentence) for sentence in self.evidence],
            "novel_edges": self.novel_edges.records(),
            "export": asdict(self.export),
        }


def take_tour(session: Session, request: TourRequest, progress: Progress) -> Tour:
    """Ask everything once; predictions must stand in the graph."""
    shown = _shown_pair(session, request.entity)
    edges = ask(session.workspace, named_query("novel-edges").statement({"top": request.top})).result
    selection = Selection(edge_types=(EdgeType.PREDICTED,))
    exported = export_graph(
        session.workspace, request.export, ExportFormat.PARQUET, selection, request.command, progress
    )
    return Tour(
        request=request,
        ranking=rank_partners(session, request.entity, partner_type=EntityType.DISEASE, top=request.top, novel=True),
        known=score_pair(session, shown.head.id, shown.tail.id),
        evidence=tuple(find_evidence(session, shown.head.id, shown.tail.id)[1][:EVIDENCE_SHOWN]),
        novel_edges=edges,
        export=exported,
    )


def _shown_pair(session: Session, entity: str) -> Answer:
    """The likeliest known disease of an entity that text mentions with it, else the likeliest that text does."""
    answers = rank_partners(session, entity, partner_type=EntityType.DISEASE, top=_MANY).answers
    mentioned = [answer for answer in answers if answer.co_mentioned] or list(answers)
    return next((answer for answer in mentioned if answer.known), mentioned[0])
