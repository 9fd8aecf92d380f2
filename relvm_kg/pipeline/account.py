"""The account of a build: what went in, what came out, what was set aside and why."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

from relvm_kg.errors import WorkspaceError
from relvm_kg.workspace import read_json, write_json


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
        rows = [
            ("documents", f"{self.documents:,} from {self.files:,} files ({self.copies_merged:,} copies merged)"),
            ("sentences", f"{self.sentences:,} ({self.splits_undone:,} splits inside mentions undone)"),
            ("mentions", f"{self.mentions:,} ({self.duplicates_merged:,} exact duplicates merged)"),
            ("contexts", f"{self.contexts:,} of {self.comentions:,} pairs"),
            ("  left out", f"{self.contexts_too_long:,} too long, {self.pairs_overlapping:,} overlapping pairs"),
            ("vocabulary", f"{self.vocabulary:,} of {self.tokens:,} tokens"),
            ("held out", f"{self.held_out_documents:,} documents; with a year: {self.documents_with_year:,}"),
            ("entities", _counts(self.entities)),
            ("  with text", _counts(self.entities_with_text)),
            ("relations", _counts(self.relations)),
            ("  co-mentioned", _counts(self.relations_co_mentioned)),
            ("offsets", f"{self.offsets_repaired:,} repaired"),
            ("other types", f"{self.other_types:,} annotations left out"),
        ]
        rows += [("rejected", f"{n:,} {reason}") for reason, n in self.rejected.items()]
        rows += [
            ("unmapped", f"{n:,} {f}: {why}") for f, reasons in self.unmapped.items() for why, n in reasons.items()
        ]
        rows += [("note", f"{n:,} {what}") for what, n in self.notes.items()]
        done = "built in" if self.rebuilt else "nothing new; it was built in"
        rows.append(
            ("corpus", f"{self.corpus_hash[:12]}, {done} {self.seconds:.1f} s, {self.peak_memory_mib:,.0f} MiB")
        )
        if self.simulated:
            rows.append(("simulated", "true: this literature is generated, it says nothing about the world"))
        return [f"{label:<16}{text}" for label, text in rows]


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in counts.items()) or "none"
