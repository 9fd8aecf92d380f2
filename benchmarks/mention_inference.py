"""Speed of the mention-level classifier against a BERT-base of random weights, on the same sentences.

    pip install --group benchmark
    python benchmarks/mention_inference.py --out mention_inference.json
    python benchmarks/mention_inference.py --quick

Both are in float32 on the same processor and take turns in one process. Each gets its sentences sorted by length, in
batches of the size that a trial found best for it. BERT reads as many tokens as RELVM does, although its word pieces
would be more than words are.
"""

import argparse
import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from round_robin import machine, ratio, round_robin
from synthetic_text import LONGEST, MEDIAN_LENGTH, SPREAD
from transformers import BertConfig, BertForSequenceClassification

from relvm_kg.classify.mention import LabelledSentences, MentionClassifier, sentence_probabilities
from relvm_kg.encoding.batches import sorted_batches
from relvm_kg.model.presets import Preset, Size, model_config
from relvm_kg.model.relvm import Relvm
from relvm_kg.types import Relation

VOCABULARY, SAMPLES = 60_000, 4
BERT_VOCABULARY = 28_996
"""Of BioBERT (Lee et al. 2020)."""
BATCHES = (8, 16, 32, 64, 128, 256)
BERT = "BERT-base"
PAPER: dict[str, dict[str, float]] = {
    "x-small": {"parameters": 1.62e6, "EU-ADR": 87.71, "GAD": 77.45, "seconds": 0.0004},
    "small": {"parameters": 3.65e6, "EU-ADR": 88.14, "GAD": 78.16},
    "medium": {"parameters": 9.78e6, "EU-ADR": 88.59, "GAD": 78.72},
    "large": {"parameters": 30.30e6, "EU-ADR": 89.67, "GAD": 80.79, "seconds": 0.0007},
    BERT: {"parameters": 110e6, "EU-ADR": 84.83, "GAD": 81.52, "seconds": 0.0087},
}
"""Table 1 of Shah and Fauqueur (2020): F1, and seconds a sentence on one V100, of which the text gives the range."""


def sentences(n: int, seed: int = 0) -> LabelledSentences:
    """Random tokens in sentences of real lengths."""
    random = np.random.default_rng(seed)
    lengths = np.exp(random.normal(np.log(MEDIAN_LENGTH), SPREAD, n)).round().clip(3, LONGEST).astype(int)
    tokens = [random.integers(5, BERT_VOCABULARY, length).astype(np.int32) for length in lengths]
    types = random.integers(0, 3, size=(2, n))
    columns = np.full(n, Relation.DISEASE_GENE.column)
    return LabelledSentences(tokens, types[0], types[1], columns, np.zeros(n, dtype=bool))


def relvm(size: Size) -> tuple[MentionClassifier, dict[str, int]]:
    """The paper's architecture with random weights; its numbers of weights."""
    model = Relvm.started(model_config(Preset.PAPER, size), 3, VOCABULARY, seed=0)
    classifier = MentionClassifier.of(model).eval()
    tables = (classifier.types.table.weight, classifier.tokens.weight)
    reads = sum(p.numel() for p in classifier.parameters() if p.requires_grad and not any(p is t for t in tables))
    return classifier, {
        "parameters": model.n_parameters(embeddings=False),
        "parameters with embeddings": model.n_parameters(embeddings=True),
        "parameters that inference reads, without embeddings": reads,
    }


def bert() -> tuple[BertForSequenceClassification, dict[str, int]]:
    """BERT-base with random weights; its numbers of weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = BertForSequenceClassification(BertConfig(vocab_size=BERT_VOCABULARY, num_labels=2)).eval()
    everything = sum(p.numel() for p in model.parameters())
    table = model.bert.embeddings.word_embeddings.weight.numel()
    counts = {"parameters": everything - table, "parameters with embeddings": everything}
    return model, counts | {"parameters that inference reads, without embeddings": everything - table}


@torch.no_grad()
def bert_probabilities(model: BertForSequenceClassification, texts: LabelledSentences, size: int) -> np.ndarray:
    """Probability of each sentence, in batches of similar length; [CLS] and [SEP] stand around each."""
    lengths = np.array([len(t) for t in texts.tokens])
    result = np.empty(len(texts), dtype=np.float32)
    for places in sorted_batches(np.arange(len(texts)), lengths, size):
        longest = int(lengths[places].max()) + 2
        ids, mask = np.zeros((2, len(places), longest), dtype=np.int64)
        for row, place in enumerate(places.tolist()):
            own = texts.tokens[place]
            ids[row, : len(own) + 2] = [1, *own, 2]
            mask[row, : len(own) + 2] = 1
        logits = model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).logits
        result[places] = torch.softmax(logits, dim=-1)[:, 1].numpy()
    return result


def best_batch(run: Callable[[LabelledSentences, int], object], texts: LabelledSentences) -> int:
    """The size of batch that is fastest on a few sentences."""
    seconds = round_robin({str(size): (lambda size=size: run(texts, size)) for size in BATCHES}, 2)  # type: ignore[misc]
    return int(min(seconds, key=lambda size: min(seconds[size])))


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Every size beside BERT, in turns."""
    n, n_bert = (512, 16) if options.quick else (2048, 192)
    texts = sentences(n)
    few = texts.take(np.arange(n_bert))
    model, counts = bert()
    runs: dict[str, tuple[Callable[[LabelledSentences, int], object], LabelledSentences]] = {
        BERT: (lambda t, size: bert_probabilities(model, t, size), few)
    }
    figures: dict[str, dict[str, Any]] = {BERT: dict(counts)}
    for size in [Size.X_SMALL, Size.LARGE] if options.quick else Size:
        classifier, counts = relvm(size)
        own = texts if size in (Size.X_SMALL, Size.SMALL) else texts.take(np.arange(n // 4))
        runs[size.value] = (lambda t, b, c=classifier: sentence_probabilities(c, t, SAMPLES, b), own)  # type: ignore[misc]
        figures[size.value] = dict(counts)
    trial = 16 if options.quick else 64
    for name, (run, own) in runs.items():
        figures[name]["batch"] = best_batch(run, own.take(np.arange(min(len(own), trial if name == BERT else 512))))
    calls = {
        name: (lambda run=run, own=own, size=figures[name]["batch"]: run(own, size))  # type: ignore[misc]
        for name, (run, own) in runs.items()
    }
    seconds = round_robin(calls, 2 if options.quick else options.repeats)
    for name, (_, own) in runs.items():
        faster = ratio(seconds, BERT, name) * len(own) / n_bert
        rate = len(own) / statistics.median(seconds[name])
        figures[name] |= {"sentences/s": rate, "times BERT": faster, "seconds": seconds[name], "sentences": len(own)}
    return {"machine": machine(), "median length": float(np.median([len(t) for t in texts.tokens])), "models": figures}


def table(result: dict[str, Any]) -> str:
    """The paper's Table 1 with what was measured, as Markdown."""
    lines = [
        "| model | parameters | with embeddings | F1 EU-ADR, GAD (paper) | s/sentence on a V100 (paper) | batch | "
        "sentences/s | times BERT |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, own in result["models"].items():
        paper = PAPER[name]
        lines.append(
            f"| {name} | {own['parameters'] / 1e6:.2f} M | {own['parameters with embeddings'] / 1e6:.1f} M "
            f"| {paper['EU-ADR']}, {paper['GAD']} | {paper.get('seconds', '')} | {own['batch']} "
            f"| {own['sentences/s']:,.0f} | {own['times BERT']:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="smallest and largest size, few sentences, two repeats")
    options = parser.parse_args()
    result = measure(options)
    print(table(result))
    if options.out is not None:
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
