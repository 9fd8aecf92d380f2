"""A session that also knows the entities of a given text: new ones get their vectors from its sentences."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch

from relvm_kg.entities.catalogue import Catalogue
from relvm_kg.entities.lookup import NAMES_FILE
from relvm_kg.errors import NoTextError, UnknownEntityError
from relvm_kg.model.checkpoint import EntityTable
from relvm_kg.model.new_entities import with_new_entities
from relvm_kg.pairs import pair_keys
from relvm_kg.pipeline.account import BuildAccount
from relvm_kg.pipeline.facts import IntArray, PairFacts
from relvm_kg.pipeline.new_text import NewText, TextEvidence, read_new_text
from relvm_kg.pipeline.projection import run_projector
from relvm_kg.pipeline.session import Session
from relvm_kg.progress import Progress, Silent
from relvm_kg.scoring.scorer import RelvmScorer
from relvm_kg.types import EntityId
from relvm_kg.workspace import Workspace

FEW_SENTENCES = 5
"""A vector from fewer sentences than this comes with a warning."""
_N_SHOWN = 5


class TextEntity(NamedTuple):
    """An entity whose vector rests on the text."""

    id: str
    name: str
    n_sentences: int
    n_documents: int
    n_partners: int
    """Entities that the run knows, mentioned beside it."""


@dataclass(frozen=True, kw_only=True)
class TextReport:
    """What the text says of what was asked for."""

    files: tuple[str, ...]
    entities: tuple[TextEntity, ...]
    """Those of the entities asked for that training never saw; none where it saw all."""
    sentences: tuple[TextEvidence, ...]
    """Sentences that mention both of a pair, else those that mention a new one of them."""

    def as_mapping(self) -> dict[str, Any]:
        """Plain values for JSON."""
        entities, sentences = ([row._asdict() for row in rows] for rows in (self.entities, self.sentences))
        return {"files": list(self.files), "entities": entities, "sentences": sentences}


class TextSession(Session):
    """Answers about a workspace, one of its runs, and new text. The text changes neither."""

    def __init__(
        self,
        workspace: Workspace,
        patterns: Sequence[str],
        run_id: str | None = None,
        *,
        progress: Progress | None = None,
        **how: Any,
    ) -> None:
        """Remember what to open.

        Args:
            workspace: Where to look.
            patterns: Files of new text (see `read_new_text`).
            run_id: A finished run; None takes the workspace's default.
            progress: Where progress goes.
            how: `device` and `samples` of `Session`.
        """
        super().__init__(workspace, run_id, **how)
        self._patterns = patterns
        self._progress = progress or Silent()

    @cached_property
    def text(self) -> NewText:
        """The new text; what is worth telling of its reading goes into `notes`.

        Raises:
            InvalidInputError: if it cannot be read, or mentions no entity.
        """
        names, fold = None, True
        if self.corpus_folder is not None:
            kept = self.corpus_folder / NAMES_FILE
            names = kept if kept.is_file() else None
            fold = BuildAccount.load(self.corpus_folder / "account.json").orthologs is not None
        found = read_new_text(self._patterns, names, fold=fold)
        self.notes += found.notes
        return found

    @property
    def file_names(self) -> str:
        """The files, as a sentence names them."""
        return " and ".join(self.text.files)

    @cached_property
    def _workspace_catalogue(self) -> Catalogue:
        return super()._load_catalogue()

    def _load_catalogue(self) -> Catalogue:
        """The entities of the workspace, then those that only the text mentions."""
        known = self._workspace_catalogue
        return known.with_entries([entry for entry in self.text.entries if entry.id not in known.index])

    def _load_facts(self) -> PairFacts | None:
        if self.corpus_folder is None:
            return None
        indices = [self.catalogue.index[entry.id] for entry in self.text.entries]
        return _FactsWithText(self.corpus_folder, self.text.documents_of_pairs(indices, {*self._grown[1].values()}))

    def _load_scorer(self) -> RelvmScorer:
        return self._grown[0]

    @cached_property
    def _grown(self) -> tuple[RelvmScorer, dict[int, int]]:
        """The model with a row more for each entity that it never saw, and their places in the text by index."""
        known = super()._load_scorer()
        bundle, entities = known.bundle, known.entities
        trained = {EntityId.parse(name): row for name, row in entities.rows.items() if entities.has_text[row]}
        places = [place for place, entry in enumerate(self.text.entries) if entry.id not in trained]
        if not places:
            return known, {}
        projector = run_projector(bundle, self._trained_on(bundle.config.corpus_hash), self._progress)
        start = projector.start_vectors(self.text.counts(places, bundle.vocabulary, trained, len(entities)))
        some = np.flatnonzero(start.any(axis=1))
        found = {self.catalogue.index[self.text.entries[places[row]].id]: places[row] for row in some.tolist()}
        frame = pa.concat_tables([entities.frame, _like(self.catalogue.table.take([*found]), entities.frame)])
        model = with_new_entities(bundle.model, torch.from_numpy(start[some]))
        return replace(known, bundle=replace(bundle, model=model, entities=EntityTable(frame))), found

    def _trained_on(self, corpus_hash: str) -> Path | None:
        """The corpus generation that a run was trained on, if it is still there."""
        folder = self.workspace.path / "corpus" / corpus_hash[:12]
        return folder if corpus_hash and (folder / "sentences.parquet").is_file() else None

    def ground(self, text: str) -> int:
        """Catalogue index of what a person typed: of an entity of the workspace, or of the text.

        Raises:
            AmbiguousEntityError: if several entities go by that name.
            NoTextError: if it is known, but neither written of here nor in the text.
            UnknownEntityError: if neither the workspace nor the text names it.
        """
        try:
            index = super().ground(text)
        except (NoTextError, UnknownEntityError) as error:
            raise type(error)(f"{error}; {self._mentioned()}") from error
        if not self.scorable(np.array([index]))[0]:
            name = f"{self.catalogue.names[index]} ({self.catalogue.ids[index]})"
            raise NoTextError(
                f"{name} is known, but no sentence of the training text mentions it, and {self._mentioned()}"
            )
        for note in self._cautions(index):
            if note not in self.notes:
                self.notes.append(note)
        return index

    def _mentioned(self) -> str:
        """What the text mentions that the run does not know, in words."""
        new = [
            f"{entry.name} ({entry.id})" for entry in (self.text.entries[place] for place in self._grown[1].values())
        ]
        if not new:
            return f"{self.file_names} mentions no entity that the run does not know"
        shown = ", ".join(new[:_N_SHOWN])
        return f"{self.file_names} mentions {shown}{f' and {len(new) - _N_SHOWN} more' * (len(new) > _N_SHOWN)}"

    def _cautions(self, index: int) -> Iterator[str]:
        """How far the vector of a new entity can be trusted."""
        place = self._grown[1].get(index)
        if place is None:
            return
        entry = self.text.entries[place]
        if entry.n_sentences < FEW_SENTENCES:
            sentences = f"{entry.n_sentences} sentence{'s' * (entry.n_sentences > 1)}"
            yield f"the vector of {entry.name} ({entry.id}) rests on {sentences} only, which is very little"
        if not self.text.partners(place) - {*self._grown[1].values()}:
            yield (
                f"no sentence mentions {entry.name} ({entry.id}) beside an entity that the run knows; its vector rests "
                "on words alone"
            )

    def from_sentences(self, index: int) -> int | None:
        """Sentences of the text that an entity's vector rests on; None where it was trained or has none."""
        place = self._grown[1].get(index)
        return None if place is None else self.text.entries[place].n_sentences

    def n_documents(self, index: int) -> int:
        """Documents of the workspace, and for a new entity of the text, that mention it."""
        place = self._grown[1].get(index)
        in_both = place is not None and index < len(self._workspace_catalogue)
        return super().n_documents(index) + (
            self.text.entries[place].n_documents if in_both and place is not None else 0
        )

    @property
    def simulated(self) -> bool:
        """Whether model, corpus or text is simulated."""
        return super().simulated or self.text.simulated

    def report(self, *ids: str) -> TextReport:
        """What the text says of an entity or of a pair that was asked for."""
        indices = [self.catalogue.index[EntityId.parse(name)] for name in ids]
        new = [index for index in indices if index in self._grown[1]]
        places = [self.text.index.get(self.catalogue.ids[index]) for index in indices]
        return TextReport(
            files=self.text.files,
            entities=tuple(self._of_entity(index) for index in new),
            sentences=tuple(self.text.evidence(places, [self._grown[1][index] for index in new])),
        )

    def _of_entity(self, index: int) -> TextEntity:
        entry = self.text.entries[self._grown[1][index]]
        n_partners = len(self.text.partners(self._grown[1][index]) - {*self._grown[1].values()})
        return TextEntity(str(entry.id), entry.name, entry.n_sentences, entry.n_documents, n_partners)


class _FactsWithText(PairFacts):
    """What corpus and relations know of pairs, and how many documents of a text mention those with a new entity."""

    def __init__(self, folder: Path, documents: dict[int, int]) -> None:
        super().__init__(folder)
        self._documents = documents

    def comention_counts(self, heads: IntArray, tails: IntArray) -> IntArray:
        """See `PairFacts.comention_counts`; documents of the text count."""
        keys = pair_keys(heads, tails).tolist()
        counts = np.array([self._documents.get(key, 0) for key in keys], dtype=np.int64)
        return super().comention_counts(heads, tails) + counts


def _like(rows: pa.Table, frame: pa.Table) -> pa.Table:
    """Rows of a catalogue as those of a model's entity table, marked as entities with text."""
    given = {**{name: rows[name] for name in rows.schema.names}, "has_text": pa.array([True] * rows.num_rows)}
    columns = [given.get(field.name, pa.nulls(rows.num_rows, field.type)).cast(field.type) for field in frame.schema]
    return pa.Table.from_arrays(columns, names=frame.schema.names).cast(frame.schema)
