"""Settings of `build`."""

from dataclasses import asdict, dataclass
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
    retractions: Path | None = None
    """A list of retracted papers, one PMID a line."""
    fold_orthologs: bool = True
    """Whether genes of other species become the human gene that their text names; needs a names table."""
    tag: bool = False
    """Whether our tagger adds mentions of the types that a file does not annotate; needs a names catalogue."""
    type_model: Path | None = None
    """A classifier that tells the type of names that several types have (see `train-types`)."""
    jobs: int | None = None
    """Processes that split and tag; None takes all cores."""

    def __post_init__(self) -> None:
        for name, low in (("vocabulary_size", 6), ("min_count", 1), ("max_tokens", 3)):
            if getattr(self, name) < low:
                raise InvalidInputError(f"build.{name} must be at least {low}, was: {getattr(self, name)}")
        if self.jobs is not None and self.jobs < 1:
            raise InvalidInputError(f"build.jobs must be at least 1, was: {self.jobs}")
        if self.type_model is not None and not self.tag:
            raise InvalidInputError("build.type_model is for the tagger; it needs build.tag (--tag)")

    @property
    def of_tables(self) -> dict[str, object]:
        """The settings that the tables follow from by themselves: no files (their contents count), no `jobs`."""
        files = {"years", "retractions", "type_model", "jobs"}
        return {name: value for name, value in asdict(self).items() if name not in files}
