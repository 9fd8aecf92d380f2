"""The account of a build: what went in, what came out, what was set aside and why."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

from relvm_kg.errors import WorkspaceError
from relvm_kg.workspace import read_json, write_json

_FILES_SHOWN = 8
_FIRST_DECADE = 1980
_EARLIER = f"before {_FIRST_DECADE}"


@dataclass(frozen=True, kw_only=True)
class BuildAccount:
    """Counts of one corpus generation."""

    corpus_hash: str
    generation: str
    rebuilt: bool
    """False if the generation was there already and nothing was done."""
    files: int
    documents: int
    copies_merged: int
    """Documents that several files held, beyond the first copy of each."""
    documents_with_year: int
    sentences: int
    splits_undone: int
    """Splits that a mention spanned."""
    mentions: int
    """(mention, id) pairs."""
    contexts: int
    contexts_too_long: int
    pairs_overlapping: int
    """Pairs of a sentence left out because all their mentions overlap."""
    held_out_documents: int
    vocabulary: int
    tokens: int
    entities: dict[str, int]
    """Entities by type."""
    entities_with_text: dict[str, int]
    relations: dict[str, int]
    """Known relations by label."""
    relations_co_mentioned: dict[str, int]
    comentions: int
    duplicates_merged: int
    """Exact duplicate annotations."""
    offsets_repaired: int
    other_types: int
    """Annotations of types other than the three."""
    rejected: dict[str, int]
    """Records of text files set aside, by reason."""
    unmapped: dict[str, dict[str, int]]
    """Rows of relation files set aside, by file and reason."""
    contexts_by_label: dict[str, int] = field(default_factory=dict)
    """Contexts of pairs that a label joins, by label; `other` of those that none does."""
    contexts_by_source: dict[str, int] = field(default_factory=dict)
    """Contexts by file; one of a document that several files hold counts for each."""
    contexts_by_year: dict[str, int] = field(default_factory=dict)
    """Contexts by five years of publication, `unknown` last."""
    tagged_mentions: dict[str, int] = field(default_factory=dict)
    """Mentions that our tagger found, by type, those without an id included."""
    unlinked_mentions: dict[str, int] = field(default_factory=dict)
    """Mentions that no id is known for, by type."""
    retracted_documents: int = 0
    """Retracted papers: in the tables, marked, and in no statistic."""
    retracted_sentences: int = 0
    retracted_contexts: int = 0
    orthologs: dict[str, int] | None = None
    """How genes of other species were folded onto human genes (`folded_mentions` of `folded_ids`, and
    `folded_relations` of relation files) and what stayed (`other_mentions` of `other_ids`); None if nothing was."""
    orthologs_unfolded_because: str | None = None
    """Why nothing was folded."""
    notes: dict[str, int] = field(default_factory=dict)
    """What else was counted."""
    simulated: bool = False
    seconds: float = 0.0
    peak_memory_mib: float = 0.0
    """Largest resident set of the process until the end of the build."""
    worker_peak_memory_mib: float = 0.0
    """Largest resident set of a worker process, what it shares with the others included; 0 without workers."""

    def save(self, path: Path) -> None:
        """Write `account.json`."""
        write_json(path, asdict(self))

    @classmethod
    def load(cls, path: Path) -> "BuildAccount":
        """Read what `save` wrote.

        Raises:
            WorkspaceError: if the file is missing.
        """
        if not path.is_file():
            raise WorkspaceError(f"{path} must be the account of a build; build the workspace again")
        return cls(**read_json(path))

    def lines(self) -> list[str]:
        """The account for people."""
        rows = [*self._text_rows(), *self._entity_rows()]
        rows += [("rejected", f"{n:,} {reason}") for reason, n in self.rejected.items()]
        rows += [
            ("unmapped", f"{n:,} {f}: {why}") for f, reasons in self.unmapped.items() for why, n in reasons.items()
        ]
        rows += [("note", f"{n:,} {what}") for what, n in self.notes.items()]
        done = "built in" if self.rebuilt else "nothing new; it was built in"
        workers = f", each worker at most {self.worker_peak_memory_mib:,.0f} MiB" if self.worker_peak_memory_mib else ""
        memory = f"{self.peak_memory_mib:,.0f} MiB{workers}"
        rows.append(("corpus", f"{self.corpus_hash[:12]}, {done} {self.seconds:.1f} s, {memory}"))
        if self.simulated:
            rows.append(("simulated", "true: this literature is generated, it says nothing about the world"))
        return [f"{label:<16}{text}" for label, text in rows]

    def _text_rows(self) -> list[tuple[str, str]]:
        rows = [
            ("documents", f"{self.documents:,} from {self.files:,} files ({self.copies_merged:,} copies merged)"),
            ("sentences", f"{self.sentences:,} ({self.splits_undone:,} splits inside mentions undone)"),
            ("mentions", f"{self.mentions:,} ({self.duplicates_merged:,} exact duplicates merged)"),
        ]
        if self.tagged_mentions:
            rows.append(("  tagged", _counts(self.tagged_mentions)))
        if self.unlinked_mentions:
            rows.append(("  without id", _counts(self.unlinked_mentions)))
        rows += [
            ("contexts", f"{self.contexts:,} of {self.comentions:,} pairs"),
            ("  by label", _counts(self.contexts_by_label)),
            ("  by year", _counts(self._by_decade())),
        ]
        most = sorted(self.contexts_by_source.items(), key=lambda item: (-item[1], item[0]))
        rows += [("  by file", f"{name} {n:,}") for name, n in most[:_FILES_SHOWN]]
        if others := most[_FILES_SHOWN:]:
            rows.append(("", f"{len(others):,} other files {sum(n for _, n in others):,} (each with --json)"))
        rows += [
            ("  left out", f"{self.contexts_too_long:,} too long, {self.pairs_overlapping:,} overlapping pairs"),
            ("vocabulary", f"{self.vocabulary:,} of {self.tokens:,} tokens"),
            ("held out", f"{self.held_out_documents:,} documents; with a year: {self.documents_with_year:,}"),
        ]
        counts = f"{self.retracted_documents:,} documents, {self.retracted_sentences:,} sentences"
        rows.append(("retracted", f"{counts}, {self.retracted_contexts:,} contexts: marked, and in no statistic"))
        return rows

    def _by_decade(self) -> dict[str, int]:
        """Contexts by decade, all before the first that is shown together."""
        found: dict[str, int] = {}
        for years, n in self.contexts_by_year.items():
            start = years[:4]
            name = years if not start.isdigit() else _EARLIER if int(start) < _FIRST_DECADE else f"{start[:3]}0s"
            found[name] = found.get(name, 0) + n
        return found

    def _entity_rows(self) -> list[tuple[str, str]]:
        return [
            ("entities", _counts(self.entities)),
            ("  with text", _counts(self.entities_with_text)),
            ("other species", self._species()),
            ("relations", _counts(self.relations)),
            ("  co-mentioned", _counts(self.relations_co_mentioned)),
            ("offsets", f"{self.offsets_repaired:,} repaired"),
            ("other types", f"{self.other_types:,} annotations left out"),
        ]

    def _species(self) -> str:
        found = self.orthologs
        if found is None:
            return f"genes are not folded onto human ones: {self.orthologs_unfolded_because}"
        return (
            f"{found['folded_mentions']:,} mentions of {found['folded_ids']:,} genes and {found['folded_relations']:,} "
            f"rows of relations folded onto human genes; {found['other_mentions']:,} mentions of "
            f"{found['other_ids']:,} genes stay"
        )


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in counts.items()) or "none"
