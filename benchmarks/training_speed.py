"""Speed and memory of training the representation, against a straightforward implementation.

    python benchmarks/training_speed.py --out training_speed.json
    python benchmarks/training_speed.py --quick

Text is synthetic. Ratios are by the wall clock, round by round; on a machine that does other work, `--clock cpu` takes
the process's own seconds instead.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contenders import THREADS, Contender, ratio, round_robin, serve
from synthetic_text import SyntheticText, write_corpus

SCRIPT = Path(__file__)
VOCABULARY, ENTITIES = 60_000, 4_000
BATCH, STRAIGHTFORWARD_BATCH, TABLE_BATCH = 192, 24, 64
ENTITY_TABLES = (10**3, 10**4, 10**5, 10**6)
CORPORA = (10**4, 10**5, 10**6)
SPEED_TARGETS = {"exact-float32": 8.0, "exact-bfloat16": 12.0, "sampled": 35.0}
MEMORY_TARGET, TABLE_TARGET, CORPUS_TARGET = 1 / 8, 3.0, 300.0
SOFTMAX_FLOP_A_TOKEN = 3 * 2 * 300 * VOCABULARY
"""Logits and both gradients; no exact softmax does with less."""
HUGE_PAGES = {"THP_MEM_ALLOC_ENABLE": "1"}


def training_request(corpus: Path, size: str, softmax: str, precision: str) -> dict[str, Any]:
    """Training's real step: two steps a round, or eight of the quicker kind."""
    return {
        "kind": "train",
        "steps": 8 if softmax == "sampled" else 2,
        "corpus": str(corpus),
        "size": size,
        "batch": BATCH,
        "softmax": softmax,
        "precision": precision,
        "environment": HUGE_PAGES,
    }


def straightforward_request(corpus: Path, size: str, batch: int) -> dict[str, Any]:
    """The straightforward step."""
    return {"kind": "straightforward", "corpus": str(corpus), "size": size, "batch": batch, "environment": HUGE_PAGES}


def measure_size(corpus: Path, size: str, repeats: int, clock: str) -> dict[str, Any]:
    """All contenders at one size of the model, and what they are beside the straightforward one."""
    requests = {
        "straightforward": straightforward_request(corpus, size, STRAIGHTFORWARD_BATCH),
        "exact-float32": training_request(corpus, size, "exact", "float32"),
        "exact-bfloat16": training_request(corpus, size, "exact", "auto"),
        "sampled": training_request(corpus, size, "sampled", "auto"),
        "products": {"kind": "products", "vocabulary": VOCABULARY},
    }
    contenders = round_robin(SCRIPT, requests, repeats)
    result: dict[str, Any] = {name: contender.summary() for name, contender in contenders.items()}
    half = round_robin(SCRIPT, {"half": straightforward_request(corpus, size, STRAIGHTFORWARD_BATCH // 2)}, 1)["half"]
    peak = result["straightforward"]["peak_mb"]
    per_context = (peak - half.summary()["peak_mb"]) / (STRAIGHTFORWARD_BATCH - STRAIGHTFORWARD_BATCH // 2)
    projected = peak + per_context * (BATCH - STRAIGHTFORWARD_BATCH)
    result["straightforward"]["projected_peak_mb"] = projected
    figure = "tokens_per_second" if clock == "wall" else "tokens_per_cpu_second"
    for name in SPEED_TARGETS:
        result[name]["speed_ratio"] = ratio(contenders[name], contenders["straightforward"], figure)
        result[name]["memory_ratio"] = result[name]["peak_mb"] / projected
    for name, kind in (("exact-float32", "float32"), ("exact-bfloat16", "bfloat16")):
        work = SOFTMAX_FLOP_A_TOKEN * result[name]["median"]["tokens_per_second"] / 1e9
        result[name]["share_of_product_peak"] = work / result["products"]["median"][f"softmax-{kind}"]
    return result


def measure_tables(place: Path, repeats: int, sizes: tuple[int, ...], clock: str) -> dict[str, Any]:
    """The cost of a step with entity tables of several sizes."""
    requests = {}
    for n_entities in sizes:
        corpus = place / f"entities-{n_entities}"
        write_corpus(corpus, SyntheticText(10_000, VOCABULARY // 3, n_entities))
        requests[str(n_entities)] = training_request(corpus, "x-small", "sampled", "auto") | {"batch": TABLE_BATCH}
    contenders = round_robin(SCRIPT, requests, repeats)
    figure = "step_seconds" if clock == "wall" else "step_cpu_seconds"
    smallest: Contender = contenders[str(sizes[0])]
    return {name: c.summary() | {"growth": ratio(c, smallest, figure)} for name, c in contenders.items()}


def measure_corpora(place: Path, sizes: tuple[int, ...]) -> dict[str, Any]:
    """Memory of reading corpora of several sizes."""
    result = {}
    for n_contexts in sizes:
        corpus = place / f"contexts-{n_contexts}"
        write_corpus(corpus, SyntheticText(n_contexts, VOCABULARY, ENTITIES))
        request = {"kind": "corpus", "corpus": str(corpus), "batch": BATCH}
        result[str(n_contexts)] = round_robin(SCRIPT, {"corpus": request}, 1)["corpus"].summary()
    return result


def verdicts(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every target with what was measured."""

    def verdict(what: str, value: float, rule: str, target: float) -> dict[str, Any]:
        reached = value >= target if rule == ">=" else value <= target
        return {"what": what, "value": value, "rule": f"{rule} {target:g}", "reached": reached}

    for name, target in SPEED_TARGETS.items():
        if measured := result["sizes"].get("x-small"):
            yield verdict(f"{name} at x-small, times as fast", measured[name]["speed_ratio"], ">=", target)
            yield verdict(f"{name} at x-small, share of memory", measured[name]["memory_ratio"], "<=", MEMORY_TARGET)
    if tables := result["entity_tables"]:
        growth = max(table["growth"] for table in tables.values())
        yield verdict("step with the largest entity table, times the smallest's", growth, "<=", TABLE_TARGET)
    if corpora := result["corpora"]:
        peaks = [corpus["peak_mb"] for corpus in corpora.values()]
        yield verdict("memory from the smallest corpus to the largest, MB", peaks[-1] - peaks[0], "<=", CORPUS_TARGET)


def show(result: dict[str, Any]) -> None:
    """The result for people."""
    for size, contenders in result["sizes"].items():
        print(f"\n{size}, vocabulary {VOCABULARY}, batch {BATCH} (straightforward: {STRAIGHTFORWARD_BATCH})")
        for name, measured in contenders.items():
            median, peak = measured["median"], measured["peak_mb"]
            if name == "products":
                rates = ", ".join(f"{shape} {rate:.0f}" for shape, rate in median.items())
                print(f"  matrix products, GFLOP/s: {rates}")
                continue
            beside = ""
            if "speed_ratio" in measured:
                beside = f"  {measured['speed_ratio']:6.1f}x  {measured['memory_ratio']:.3f} of its memory"
                if share := measured.get("share_of_product_peak"):
                    beside += f"  softmax alone at {share:.0%} of the products' rate"
            elif "projected_peak_mb" in measured:
                beside = f"  ({measured['projected_peak_mb']:.0f} MB at batch {BATCH}, by its growth from half a batch)"
            print(f"  {name:16}{median['tokens_per_second']:8.0f} tokens/s  peak {peak:6.0f} MB{beside}")
    for rows, measured in result["entity_tables"].items():
        milliseconds = 1000 * measured["median"]["step_seconds"]
        print(f"  {rows:>8} entities: {milliseconds:6.0f} ms a step, {measured['growth']:.2f} times the first")
    for rows, measured in result["corpora"].items():
        print(f"  {rows:>8} contexts: peak {measured['peak_mb']:.0f} MB")
    print()
    for target in result["targets"]:
        word = "reached" if target["reached"] else "MISSED"
        print(f"  {word:8} {target['what']}: {target['value']:.3g} ({target['rule']})")


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything that was asked for."""
    repeats = 2 if arguments.quick else arguments.repeats
    sizes = arguments.sizes[:1] if arguments.quick else arguments.sizes
    result: dict[str, Any] = {
        "threads": THREADS,
        "clock": arguments.clock,
        "repeats": repeats,
        "sizes": {},
        "entity_tables": {},
        "corpora": {},
    }
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if arguments.only in (None, "sizes"):
            write_corpus(place / "text", SyntheticText(50 * BATCH, VOCABULARY, ENTITIES))
            for size in sizes:
                print(size, file=sys.stderr)
                result["sizes"][size] = measure_size(place / "text", size, repeats, arguments.clock)
        if arguments.only in (None, "tables"):
            tables = ENTITY_TABLES[:-1] if arguments.quick else ENTITY_TABLES
            result["entity_tables"] = measure_tables(place, repeats, tables, arguments.clock)
        if arguments.only in (None, "corpora"):
            result["corpora"] = measure_corpora(place, CORPORA[:-1] if arguments.quick else CORPORA)
    return result | {"targets": list(verdicts(result)), "seconds": time.monotonic() - started}


def main() -> None:
    """Measure, show, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--quick", action="store_true", help="x-small, two rounds, smaller tables and corpora")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--sizes", nargs="+", default=["x-small", "small"])
    parser.add_argument("--only", choices=["sizes", "tables", "corpora"])
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        from training_contenders import ROUNDS

        request = json.loads(arguments.child)
        serve(ROUNDS[request["kind"]](request))
        return
    result = measure(arguments)
    show(result)
    if arguments.out:
        arguments.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
