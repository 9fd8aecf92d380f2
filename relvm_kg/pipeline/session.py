"""One opened workspace with its catalogue, facts and model: what every question is asked of."""

from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from relvm_kg.corpus.evidence import EvidenceIndex
from relvm_kg.corpus.tables import read_columns
from relvm_kg.entities.catalogue import Catalogue
from relvm_kg.entities.grounder import Grounder
from relvm_kg.entities.lookup import NamesLookup
from relvm_kg.errors import NoTextError, WorkspaceError
from relvm_kg.pipeline.facts import PairFacts
from relvm_kg.pipeline.novelty import Novelty
from relvm_kg.scoring.ranking import Ranker
from relvm_kg.scoring.scorer import DEFAULT_SAMPLES, RelvmScorer
from relvm_kg.training.device import Device, torch_device
from relvm_kg.types import EntityId, EntityType, Relation, relation_for_types
from relvm_kg.workspace import Workspace

IntArray = npt.NDArray[np.int64]


class OrderedPair(NamedTuple):
    """A pair in the argument order of the label that joins its types; catalogue indices."""

    head: int
    relation: Relation
    tail: int


class Session:
    """Answers about one workspace and one of its runs; everything is opened when it is first needed."""

    def __init__(
        self,
        workspace: Workspace,
        run_id: str | None = None,
        *,
        device: Device = Device.AUTO,
        samples: int = DEFAULT_SAMPLES,
    ) -> None:
        """Remember what to open.

        Args:
            workspace: Where to look.
            run_id: A finished run; None takes the workspace's default.
            device: Where to compute.
            samples: Draws of z a score.
        """
        self.workspace = workspace
        self._run_id = run_id
        self._device = device
        self._samples = samples
        self.notes: list[str] = []
        """What to tell the person about names that were asked for: former ones, replaced ids."""

    @cached_property
    def run_folder(self) -> Path:
        """The model folder."""
        return self.workspace.run_dir(self._run_id)

    @cached_property
    def corpus_folder(self) -> Path | None:
        """The current corpus generation; None in a workspace that holds only a model."""
        return None if self.workspace.manifest.generation is None else self.workspace.corpus_dir

    def require_corpus(self) -> Path:
        """The corpus generation that this session reads, the same one even if a build makes a newer one meanwhile.

        Raises:
            WorkspaceError: without a corpus.
        """
        return self.corpus_folder or self.workspace.corpus_dir

    @cached_property
    def catalogue(self) -> Catalogue:
        """The entities of the corpus, or of the model where there is no corpus."""
        return self._load_catalogue()

    def _load_catalogue(self) -> Catalogue:
        return Catalogue.load(self.corpus_folder or self.run_folder)

    @cached_property
    def facts(self) -> PairFacts | None:
        """What is known of pairs; None without a corpus."""
        return self._load_facts()

    def _load_facts(self) -> PairFacts | None:
        return None if self.corpus_folder is None else PairFacts(self.corpus_folder)

    @cached_property
    def novelty(self) -> Novelty:
        """What is news."""
        return Novelty(self.catalogue, self.facts)

    @cached_property
    def evidence_index(self) -> EvidenceIndex:
        """The sentences of pairs.

        Raises:
            WorkspaceError: without a corpus.
        """
        return EvidenceIndex(self.require_corpus())

    @cached_property
    def scorer(self) -> RelvmScorer:
        """The model.

        Raises:
            WorkspaceError: if there is none, or ids that it knows are gone from the catalogue or have another type.
        """
        return self._load_scorer()

    def _load_scorer(self) -> RelvmScorer:
        scorer = RelvmScorer.load(self.run_folder, torch_device(self._device), self._samples)
        self._check_ids(scorer)
        return scorer

    @cached_property
    def ranker(self) -> Ranker:
        """Finds an entity's best partners with the model."""
        return Ranker(self.scorer)

    def _check_ids(self, scorer: RelvmScorer) -> None:
        kinds = list(EntityType)
        index, types = self.catalogue.index, self.catalogue.types
        for row in np.flatnonzero(scorer.entities.has_text).tolist():
            name = scorer.entities.ids[row]
            place = index.get(EntityId.parse(name))
            if place is None or types[place] is not kinds[scorer.entities.types[row]]:
                raise WorkspaceError(
                    f"run {scorer.bundle.config.run_id!r} knows {name} as {kinds[scorer.entities.types[row]].value}, "
                    "the workspace's catalogue does not: its ids changed; train again with relvm-kg train"
                )

    @property
    def stale(self) -> bool:
        """Whether the corpus grew or changed since the model was trained."""
        current = self.workspace.manifest.corpus_hash
        return current is not None and current != self.scorer.bundle.config.corpus_hash

    @property
    def simulated(self) -> bool:
        """Whether the model, or the corpus, is simulated."""
        return self.workspace.manifest.simulated or self.scorer.bundle.config.simulated

    @cached_property
    def _grounder(self) -> Grounder:
        names = None if self.corpus_folder is None else NamesLookup.in_folder(self.corpus_folder)
        return Grounder(self.catalogue, names)

    def ground(self, text: str) -> int:
        """Catalogue index of what a person typed; what is worth telling about the name goes into `notes`.

        Raises:
            UnknownEntityError: if nothing has that id, name or synonym.
            AmbiguousEntityError: if several have.
            NoTextError: if the names catalogue has it, and nothing is written of it here.
        """
        entity, note = self._grounder.ground(text)
        if note is not None and note not in self.notes:
            self.notes.append(note)
        return entity

    def ground_with_text(self, text: str) -> int:
        """The same of an entity that must be one to score.

        Raises:
            NoTextError: if no training text mentions it.
        """
        entity = self.ground(text)
        self.model_rows(np.array([entity]))
        return entity

    @cached_property
    def _sentences(self) -> tuple[pa.Table, pa.Table]:
        folder = self.require_corpus()
        contexts = read_columns(folder / "contexts.parquet", ["sentence_row", "retracted"])
        sentences = pq.read_table(folder / "sentences.parquet", columns=["doc_id", "sentence_index"], memory_map=True)
        return contexts, sentences

    def stands(self, context_rows: IntArray) -> npt.NDArray[np.bool_]:
        """Which contexts are not of retracted papers. *Shape:* (contexts)"""
        retracted = self._sentences[0]["retracted"].take(pa.array(context_rows))
        return ~np.asarray(retracted.to_numpy(zero_copy_only=False), dtype=np.bool_)

    def sentence_names(self, context_rows: IntArray) -> pa.Array:
        """`document#sentence` of contexts, both as the corpus numbers them."""
        contexts, sentences = self._sentences
        found = sentences.take(contexts["sentence_row"].take(pa.array(context_rows))).combine_chunks()
        numbers = found["sentence_index"].cast(pa.string())
        names = pc.binary_join_element_wise(found["doc_id"], numbers, "#")
        return names.combine_chunks() if isinstance(names, pa.ChunkedArray) else names

    @cached_property
    def _model_rows(self) -> IntArray:
        """Row of the model for each catalogue index, -1 where it has no text there."""
        rows = np.full(len(self.catalogue), -1, dtype=np.int64)
        known, has_text = self.scorer.entities.rows, self.scorer.entities.has_text
        for place, entity in enumerate(self.catalogue.ids):
            row = known.get(str(entity))
            if row is not None and has_text[row]:
                rows[place] = row
        return rows

    def model_rows(self, indices: IntArray) -> IntArray:
        """Rows of the model's entity table for catalogue indices.

        Raises:
            NoTextError: if the model has no text of an entity.
        """
        rows = self._model_rows[indices]
        if (rows < 0).any():
            place = int(indices[np.flatnonzero(rows < 0)[0]])
            raise NoTextError(
                f"{self.catalogue.names[place]} ({self.catalogue.ids[place]}) is known, but no sentence of the "
                "training text mentions it, so nothing can be said of it"
            )
        return rows

    def from_sentences(self, index: int) -> int | None:
        """Sentences of a given text that an entity's vector rests on; None where it was trained or has none."""
        return None

    def n_documents(self, index: int) -> int:
        """Documents that mention an entity."""
        return int(self.catalogue.n_documents[index])

    def scorable(self, indices: IntArray) -> npt.NDArray[np.bool_]:
        """Which catalogue indices the model has text of. *Shape:* (indices)"""
        able: npt.NDArray[np.bool_] = self._model_rows[indices] >= 0
        return able

    def ordered(self, first: int, second: int) -> OrderedPair:
        """A pair in the argument order of its label.

        Raises:
            NoRelationForTypesError: if no label joins the types.
        """
        types = self.catalogue.types
        relation = relation_for_types(types[first], types[second])
        swap = types[first] is not relation.argument_types[0]
        if relation is Relation.GENE_GENE:
            swap = str(self.catalogue.ids[first]) > str(self.catalogue.ids[second])
        return OrderedPair(second, relation, first) if swap else OrderedPair(first, relation, second)
