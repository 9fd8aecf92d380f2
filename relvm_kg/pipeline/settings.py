"""Settings of `build`."""

from dataclasses import dataclass
from pathlib import Path

from relvm_kg.errors import InvalidInputError


@dataclass(frozen=True, kw_only=True)
class BuildSettings:
    """How text becomes a corpus."""

    vocabulary_size: int = 20_000
    """Entries of the vocabulary, the five symbols included."""
    min_count: int = 2
    """Sentences of training documents in which a word must stand to enter the vocabulary."""
    max_tokens: int = 140
    """Longest context; longer ones are left out."""
    document_relations: bool = True
    """Whether relations that annotators stated in the text files (BC5CDR, BioRED) count as known."""
    years: Path | None = None
    """A table of PMID and year for documents that state none: as stated, else the median of the nearest PMIDs."""

    def __post_init__(self) -> None:
        for name, low in (("vocabulary_size", 6), ("min_count", 1), ("max_tokens", 3)):
            if getattr(self, name) < low:
                raise InvalidInputError(f"build.{name} must be at least {low}, was: {getattr(self, name)}")
