"""Speed of training the paper's largest model on a GPU: LARGE, batch 192, vocabulary 60,000, exact softmax.

    python benchmarks/cuda_training.py --out cuda_training.json

Says how many iterations a second training's own loop of batches and steps takes, what share of the GPU's own rate of
matrix products that is (the FLOP floor), how long the GPU is busy in a step, and how long the paper's 400,000
iterations would take. Text is synthetic, with lengths like those of biomedical sentences.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from synthetic_text import SyntheticText, write_corpus
from torch.profiler import ProfilerActivity, profile

from relvm_kg.model.presets import EntityStart, ModelConfig, Precision, Preset, Size, Softmax, model_config
from relvm_kg.model.presets import training_config as training_settings
from relvm_kg.model.relvm import Relvm
from relvm_kg.training.data import load_corpus
from relvm_kg.training.feed import Feed, ReadyBatch
from relvm_kg.training.optimiser import start_optimisers
from relvm_kg.training.processes import ALONE
from relvm_kg.training.schedule import Schedule
from relvm_kg.training.step import Stepper

VOCABULARY, ENTITIES, BATCH, ITERATIONS = 60_000, 30_000, 192, 400_000
WARM_UP, PROFILED = 30, 20


def multiply_adds(model: ModelConfig, ready: ReadyBatch, vocabulary: int) -> float:
    """Those of the forward pass that any implementation must make: the LSTMs and the softmax, without padding."""
    gates = 4 * model.hidden
    recognition = 2 * gates * (model.embedding + model.hidden)
    decoder = gates * (model.hidden + model.embedding + model.hidden)
    output = model.embedding * (model.hidden + model.latent + vocabulary)
    return float(ready.n_tokens) * (recognition + decoder + output)


def product_rate(precision: torch.dtype) -> float:
    """FLOP/s of large matrix products."""
    left, right = (torch.randn(8192, 8192, device="cuda", dtype=precision) for _ in range(2))
    times = []
    for _ in range(8):
        torch.cuda.synchronize()
        started = time.perf_counter()
        torch.mm(left, right)
        torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return float(2 * 8192**3 / min(times))


def timed(stepper: Stepper, batches: Iterator[ReadyBatch], first: int, steps: int) -> tuple[float, list[ReadyBatch]]:
    """Seconds that some steps take, and their batches."""
    torch.cuda.synchronize()
    started, seen = time.perf_counter(), []
    for step in range(first, first + steps):
        ready = next(batches)
        stepper.take(step, ready)
        seen.append(ready)
    torch.cuda.synchronize()
    return time.perf_counter() - started, seen


def busy_share(stepper: Stepper, batches: Iterator[ReadyBatch], first: int) -> float:
    """Share of the time in which a kernel runs, over some steps."""
    with profile(activities=[ProfilerActivity.CUDA]) as record:
        timed(stepper, batches, first, PROFILED)
    spans = sorted(
        (event.time_range.start, event.time_range.end) for event in record.events() if event.device_type.name == "CUDA"
    )
    busy, reached = 0.0, float(spans[0][0])
    for start, end in spans:
        busy += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return float(busy / (reached - spans[0][0]))


def measure(corpus_folder: Path, size: Size, steps: int) -> dict[str, Any]:
    """All figures."""
    corpus, device = load_corpus(corpus_folder), torch.device("cuda")
    architecture = replace(model_config(Preset.PAPER, size), entity_start=EntityStart.RANDOM)
    training = replace(
        training_settings(Preset.PAPER), batch_size=BATCH, softmax=Softmax.EXACT, precision=Precision.AUTO
    )
    model = Relvm.started(architecture, len(corpus.types), len(corpus.vocabulary), seed=0).to(device)
    schedule = Schedule(len(corpus.training_rows), training)
    stepper = Stepper(model, corpus, schedule, start_optimisers(model, training))
    batches = Feed(corpus, corpus.training_rows, schedule, ALONE, device).after(0)
    timed(stepper, batches, 0, WARM_UP)
    torch.cuda.reset_peak_memory_stats()
    seconds, seen = timed(stepper, batches, WARM_UP, steps)
    share = busy_share(stepper, batches, WARM_UP + steps)
    rate = product_rate(torch.bfloat16)
    work = 6.0 * sum(multiply_adds(architecture, ready, len(corpus.vocabulary)) for ready in seen)
    return {
        "gpu": torch.cuda.get_device_name(),
        "size": size.value,
        "batch": BATCH,
        "vocabulary": len(corpus.vocabulary),
        "tokens_per_iteration": sum(ready.n_tokens for ready in seen) / steps,
        "iterations_per_second": steps / seconds,
        "tokens_per_second": sum(ready.n_tokens for ready in seen) / seconds,
        "flop_per_iteration": work / steps,
        "bfloat16_product_flop_per_second": rate,
        "fraction_of_flop_floor": work / seconds / rate,
        "gpu_busy_share": share,
        "peak_memory_gb": torch.cuda.max_memory_allocated() / 1e9,
        "hours_for_400000_iterations": ITERATIONS * seconds / steps / 3600,
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="JSON file to write.")
    parser.add_argument("--size", choices=[size.value for size in Size], default=Size.LARGE.value)
    parser.add_argument("--steps", type=int, default=200, help="Iterations that are timed.")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("cuda_training.py measures a GPU: it needs a CUDA device that PyTorch can see, and there is none")
    with tempfile.TemporaryDirectory() as place:
        corpus = Path(place) / "corpus"
        write_corpus(corpus, SyntheticText(100_000, VOCABULARY, ENTITIES))
        figures = measure(corpus, Size(options.size), options.steps)
    text = json.dumps(figures, indent=2)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
