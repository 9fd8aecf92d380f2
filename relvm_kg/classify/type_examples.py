"""Examples for the type classifier: names with one type in the dictionary, drawn without hand labels.

Held out are the mentions whose surface and whose document are both held out; training sees neither. So the held-out
figures say how well the context is understood, not how well names are remembered.
"""

import hashlib
import heapq
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from relvm_kg.config import require
from relvm_kg.tagging.types import TypeExample
from relvm_kg.types import EntityType

_LONGEST_BARE_SYMBOL = 5
_SHORTEST_PLURAL = 5
_NOT_WORD = re.compile(r"[\W_]+")
_SPACE = 1 << 64


@dataclass(frozen=True, kw_only=True)
class ExampleSettings:
    """How examples are drawn."""

    examples: int = 100_000
    """Training examples at most, a third of each type where there are as many."""
    for_each_surface: int = 40
    """Examples at most of one surface form, so that frequent names do not drown the others."""
    document_percent: int = 100
    """Percent of the documents that are read, chosen by their ids; fewer do for little time."""
    held_out_percent: int = 15
    """Percent of the surface forms and of the documents that are held out."""
    seed: int = 0
    """Of the draws and of what is held out."""

    def __post_init__(self) -> None:
        require(self.examples >= len(EntityType), "types.examples", "be at least 3", self.examples)
        require(self.for_each_surface >= 1, "types.for_each_surface", "be at least 1", self.for_each_surface)
        require(0 < self.document_percent <= 100, "types.document_percent", "be in (0, 100]", self.document_percent)
        require(0 < self.held_out_percent < 100, "types.held_out_percent", "be in (0, 100)", self.held_out_percent)


@dataclass(frozen=True)
class TypeExamples:
    """Training and held-out examples, and what was counted on the way."""

    training: list[TypeExample]
    held_out: list[TypeExample]
    counts: Counter[str]


def is_telling(example: TypeExample) -> bool:
    """Whether a mention's dictionary type is likely to be its type.

    Names with several types are not, nor are gene symbols of up to five letters: half of their mentions are
    abbreviations of something that no dictionary holds (`PAD` is more often a disease than a gene).
    """
    if example.is_ambiguous:
        return False
    surface = example.surface
    return not (example.types[0] is EntityType.GENE and len(surface) <= _LONGEST_BARE_SYMBOL and surface.isalpha())


def surface_key(surface: str) -> str:
    """What two spellings of a name have in common: letters and digits in lower case, without the plural's s.

    >>> surface_key("Beta-blockers"), surface_key("beta blocker")
    ('betablocker', 'betablocker')
    """
    key = _NOT_WORD.sub("", surface.lower())
    return key[:-1] if key.endswith("s") and len(key) >= _SHORTEST_PLURAL else key


def is_read(doc_id: str, settings: ExampleSettings) -> bool:
    """Whether a document is among those that are read."""
    return _percent(settings.seed, f"document {doc_id}") < settings.document_percent


def draw_examples(candidates: Iterable[TypeExample], settings: ExampleSettings) -> TypeExamples:
    """Draw training and held-out examples; the draw does not depend on the order of the candidates.

    Args:
        candidates: Mentions as the tagger found them, those with several types among them.
        settings: How many, and what is held out.
    """
    counts: Counter[str] = Counter()
    draws = {(held, t): _Draw(settings) for held in (False, True) for t in EntityType}
    for example in candidates:
        if not is_telling(example):
            counts["ambiguous" if example.is_ambiguous else "bare gene symbols"] += 1
            continue
        key = surface_key(example.surface)
        hidden = [_percent(settings.seed, word) < settings.held_out_percent for word in (key, example.doc_id)]
        if hidden[0] != hidden[1]:
            counts["surface or document held out"] += 1
            continue
        counts["candidates"] += 1
        draws[all(hidden), example.types[0]].add(key, example)
    training, held_out = (_merged([draws[held, t] for t in EntityType]) for held in (False, True))
    return TypeExamples(training, held_out, counts)


@dataclass
class _Draw:
    """A draw of the examples of one type: those of lowest hash, bounded for each surface and in all."""

    settings: ExampleSettings
    limit: int = _SPACE
    n: int = 0
    by_surface: dict[str, list[tuple[int, TypeExample]]] = field(default_factory=dict)
    """Heaps with the highest hash (negated) first."""

    def add(self, key: str, example: TypeExample) -> None:
        place = _hash(self.settings.seed, example.doc_id, example.sentence, str(example.span))
        if place >= self.limit:
            return
        heap = self.by_surface.setdefault(key, [])
        if len(heap) < self.settings.for_each_surface:
            heapq.heappush(heap, (-place, example))
            self.n += 1
        else:
            heapq.heappushpop(heap, (-place, example))
        if self.n >= 2 * self._wanted:
            self._halve()

    @property
    def _wanted(self) -> int:
        return max(1, self.settings.examples // len(EntityType))

    def _halve(self) -> None:
        """Keep as many as are wanted, and take none above from now on."""
        self.limit = self.examples()[-1][0] + 1
        self.n = 0
        for key, heap in list(self.by_surface.items()):
            kept = [pair for pair in heap if -pair[0] < self.limit]
            heapq.heapify(kept)
            self.by_surface[key] = kept
            self.n += len(kept)

    def examples(self) -> list[tuple[int, TypeExample]]:
        """The examples with their hashes, lowest first."""
        found = sorted(((-p, e) for heap in self.by_surface.values() for p, e in heap), key=lambda pair: pair[0])
        return found[: self._wanted]


def _merged(draws: Iterable[_Draw]) -> list[TypeExample]:
    return [example for _, example in sorted((p for draw in draws for p in draw.examples()), key=lambda pair: pair[0])]


def _hash(seed: int, *parts: str) -> int:
    digest = hashlib.blake2b("\0".join((str(seed), *parts)).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _percent(seed: int, word: str) -> int:
    return _hash(seed, "part", word) % 100
