"""Speed and exactness of pair scoring: the factored prior, bfloat16, stages, and PyKEEN's TransE beside them.

    python benchmarks/pair_scoring.py --out pair_scoring.json
    python benchmarks/pair_scoring.py --quick
    python benchmarks/pair_scoring.py --run WORKSPACE/runs/RUN --out pair_scoring.json

All contestants take turns in one process. Without --run the weights are random, and the rankings are of random scores;
with it, rankings are of the run's entities, all of which stand as genes that a disease is ranked against.
"""

import argparse
import json
import os
import statistics
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("GLIBC_TUNABLES", "glibc.rtld.optional_static_tls=4096")

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from plain_scoring import PlainForm, multiply_adds
from pykeen.models import TransE
from pykeen.triples import CoreTriplesFactory
from pykeen.utils import NoRandomSeedNecessary
from random_model import random_scorer
from round_robin import machine, ratio, round_robin

from relvm_kg.classify.draws import Draws
from relvm_kg.classify.factored import FactoredPairs
from relvm_kg.classify.pair_layers import PairClassifier
from relvm_kg.classify.probabilities import PairProbabilities, evaluation_draws
from relvm_kg.model.checkpoint import EntityTable
from relvm_kg.model.presets import Preset, Size
from relvm_kg.model.products import Products
from relvm_kg.model.relvm import Relvm
from relvm_kg.scoring.ranking import Ranker, RankSettings
from relvm_kg.scoring.scorer import RelvmScorer
from relvm_kg.types import POSITIVE_RELATIONS, EntityType, Relation

COLUMN = Relation.DISEASE_GENE.column
CANDIDATES = 20_000
DIMENSIONS = 128
"""Of the TransE model: what `relvm-kg benchmark` trains."""
LAYER_DRAWS = 8
POOL, POOL_DRAWS = 2000, 64
EXACT, TOP = 1024, 100
TARGETS = {"share of the ratio of multiply-adds": 0.85, "difference of a probability": 1e-6, "top-100 agreement": 0.95}
IntArray = npt.NDArray[np.int64]


# --- Layers --------------------------------------------------------------------------------------------------------


def layers(model: Relvm, classifier: PairClassifier, n_pairs: int, repeats: int) -> dict[str, Any]:
    """One entity with many pairs, through every form of the layers."""
    draws = evaluation_draws(model, LAYER_DRAWS, seed=0)
    partners, anchor = torch.arange(1, n_pairs + 1), torch.tensor(0)
    plain, general = PlainForm.of(model, classifier), PairProbabilities(model, classifier, draws)
    heads, columns = np.zeros(n_pairs, dtype=np.int64), np.full(n_pairs, COLUMN)

    def factored(dtype: torch.dtype, products: Products) -> Callable[[], torch.Tensor]:
        form = FactoredPairs.of(model.entities, model.prior, classifier, draws, dtype, products)
        return lambda: torch.cat(list(form.one_to_many(anchor, partners, COLUMN)))

    forms: dict[str, Callable[[], torch.Tensor]] = {
        "plain": lambda: plain.log_odds(0, partners, COLUMN, draws),
        "pair part once": lambda: torch.cat([p for _, p in general._plain(heads, partners.numpy(), columns)]),
        "factored": factored(torch.float32, Products.TORCH),
        "factored, oneDNN": factored(torch.float32, Products.AUTO),
        "factored, bfloat16": factored(torch.bfloat16, Products.AUTO),
    }
    exact = forms["plain"]()
    seconds = round_robin(forms, repeats)
    counts = multiply_adds(model, classifier, LAYER_DRAWS)
    result = {}
    for name, form in forms.items():
        found = form()
        n_adds = counts[name.partition(",")[0]]
        faster, fewer = ratio(seconds, "plain", name), counts["plain"] / n_adds
        result[name] = {
            "seconds": seconds[name],
            "pairs/s": n_pairs / statistics.median(seconds[name]),
            "multiply-adds": n_adds,
            "times as fast": faster,
            "ratio of multiply-adds": fewer,
            "share": faster / fewer,
            "largest difference of a log-odds": float((found - exact).abs().max()),
            "largest log-odds": float(exact.abs().max()),
            "largest difference of a probability": float(
                (torch.sigmoid(found).mean(1) - torch.sigmoid(exact).mean(1)).abs().max()
            ),
        }
    return result


# --- Rankings ------------------------------------------------------------------------------------------------------


def scorer_of_genes(size: Size, preset: Preset, n_candidates: int) -> RelvmScorer:
    """A scorer with random weights; its first entity is a disease, the others are genes."""
    return random_scorer(size, preset, as_genes(n_candidates + 1, disease=0))


def as_genes(n: int, disease: int) -> EntityTable:
    """A table in which one entity is a disease and all others are genes with text."""
    kinds = [EntityType.DISEASE.value if i == disease else EntityType.GENE.value for i in range(n)]
    return EntityTable(pa.table({"id": [str(i) for i in range(n)], "type": kinds, "has_text": [True] * n}))


def ranked_alone(scorer: RelvmScorer, entity: int, candidates: IntArray, samples: int, seed: int) -> IntArray:
    """Candidates in falling order by one stage."""
    scores = scorer.with_samples(samples, seed).score(np.full(len(candidates), entity), candidates)
    order: IntArray = candidates[np.argsort(-scores.probability, kind="stable")]
    return order


def rank_times(scorer: RelvmScorer, repeats: int, n_candidates: int) -> dict[str, Any]:
    """One `rank` over all candidates, other ways to it, and PyKEEN's TransE scoring as many."""
    candidates = np.arange(1, n_candidates + 1)
    triples = CoreTriplesFactory(torch.tensor([[0, 0, 1]]), n_candidates + 1, len(POSITIVE_RELATIONS))
    transe = TransE(
        triples_factory=triples,
        embedding_dim=DIMENSIONS,
        random_seed=NoRandomSeedNecessary,
        entity_constrainer=None,
    )
    query = torch.tensor([[0, 0]])
    batch = torch.stack(
        [torch.zeros(n_candidates), torch.zeros(n_candidates), torch.arange(1, n_candidates + 1)], 1
    ).long()
    ranker, exact = Ranker(scorer), Ranker(scorer, RankSettings(bfloat16=False))
    few = scorer.with_samples(16)
    contestants: dict[str, Callable[[], object]] = {
        "TransE, all tails": lambda: transe.predict_t(query),
        "TransE, triple by triple": lambda: transe.predict_hrt(batch),
        "rank": lambda: ranker.best(0, candidates, 20),
        "rank, float32 throughout": lambda: exact.best(0, candidates, 20),
        "short list alone": lambda: ranker.stages[0][1].score_tails(0, Relation.DISEASE_GENE, candidates),
        "one stage, 16 draws": lambda: few.score_tails(0, Relation.DISEASE_GENE, candidates),
    }
    with torch.no_grad():
        seconds = round_robin(contestants, repeats)
    return {
        name: {"seconds": times, "multiple of TransE": ratio(seconds, name, "TransE, all tails")}
        for name, times in seconds.items()
    }


# --- Agreement -----------------------------------------------------------------------------------------------------


def agreement(scorer: RelvmScorer, anchors: IntArray, others: IntArray, whole: int) -> dict[str, Any]:
    """Share of the best 100 that a ranking has in common with 1,024 draws of another seed, and what it costs.

    Args:
        scorer: Whose candidates all stand as genes.
        anchors: Entities whose partners are ranked.
        others: Candidates.
        whole: For this many of the anchors the draws of the other seed score every candidate; for the rest the best
            2,000 by 64 draws of a third seed.
    """
    n = len(scorer.entities)
    rows: list[dict[str, float]] = []
    for place, anchor in enumerate(anchors.tolist()):
        own = replace(scorer, bundle=replace(scorer.bundle, entities=as_genes(n, anchor)))
        candidates = others[others != anchor]
        pool = candidates if place < whole else ranked_alone(own, anchor, candidates, POOL_DRAWS, seed=3)[:POOL]
        seconds: dict[str, float] = {}

        def timed(name: str, call: Callable[[], IntArray], into: dict[str, float] = seconds) -> set[int]:
            into[name] = round_robin({name: call}, 1)[name][0] if name.startswith("rank") else 0.0
            return set(call()[:TOP].tolist())

        truth = timed("1024, another seed", lambda own=own, pool=pool, a=anchor: ranked_alone(own, a, pool, EXACT, 2))  # type: ignore[misc]
        row = {"candidates scored by 1,024 draws": float(len(pool))}
        rough = own.with_draws(own.draws, torch.bfloat16)
        for name, ranker in (("rank", Ranker(own)), ("rank, bfloat16 throughout", Ranker(rough))):
            best = timed(name, lambda r=ranker, c=candidates, a=anchor: c[r.best(a, c, TOP).places])  # type: ignore[misc]
            row |= {name: len(best & truth) / TOP, f"{name}, seconds": seconds[name]}
        again = set(ranked_alone(own, anchor, pool, EXACT, seed=1)[:TOP].tolist())
        rows.append(row | {"1,024 draws, one seed against another": len(again & truth) / TOP})
        print(json.dumps(rows[-1]), flush=True)
    means = {name: statistics.mean(row[name] for row in rows) for name in rows[0]}
    return {"anchors": rows, "mean": means, "least, rank": min(row["rank"] for row in rows)}


def errors_of_draws(scorer: RelvmScorer, anchor: int, candidates: IntArray, seeds: int) -> dict[str, dict[str, float]]:
    """Mean squared error of a probability by kind and number of draws, without what all candidates share."""
    model, latent = scorer.bundle.model, scorer.bundle.model.config.latent
    own = replace(scorer, bundle=replace(scorer.bundle, entities=as_genes(len(scorer.entities), anchor)))
    pool = ranked_alone(own, anchor, candidates[candidates != anchor], 16, seed=3)[:500]

    def scores(draws: Draws) -> npt.NDArray[np.float32]:
        return own.with_draws(draws.to(model.device), torch.float32).score_tails(anchor, Relation.DISEASE_GENE, pool)

    truth = (scores(Draws.sobol(4096, latent, 900)) + scores(Draws.sobol(4096, latent, 901))) / 2
    kinds: dict[str, Callable[[int, int], Draws]] = {
        "independent": lambda s, seed: Draws.independent(s, latent, torch.Generator().manual_seed(seed)),
        "antithetic": lambda s, seed: Draws.antithetic(s, latent, torch.Generator().manual_seed(seed)),
        "Sobol": lambda s, seed: Draws.sobol(s, latent, seed),
    }
    return {
        name: {
            str(samples): float(np.mean([np.var(scores(kind(samples, seed)) - truth) for seed in range(seeds)]))
            for samples in (2, 4, 16, 64, 256)
        }
        for name, kind in kinds.items()
    }


# --- Report --------------------------------------------------------------------------------------------------------


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything, as one mapping."""
    result: dict[str, Any] = {"machine": machine(), "targets": TARGETS, "layers": {}, "rank": {}}
    repeats = 2 if options.quick else options.repeats
    sizes = [Size.X_SMALL] if options.quick else list(Size)
    for size in sizes:
        scorer = scorer_of_genes(size, options.preset, CANDIDATES)
        result["layers"][size.value] = layers(
            scorer.bundle.model, scorer.classifier, 512 if options.quick else 1024, repeats
        )
        result["rank"][size.value] = rank_times(scorer, repeats, CANDIDATES)
        print(size.value, flush=True)
    if options.run is not None:
        scorer = RelvmScorer.load(options.run, torch.device("cpu"))
        with_text = np.flatnonzero(scorer.entities.has_text)
        random = np.random.default_rng(0)
        others = np.sort(random.permutation(with_text)[:CANDIDATES])
        anchors = random.choice(with_text, 1 if options.quick else options.anchors, replace=False)
        result["run"] = {"run": scorer.bundle.config.run_id, "hidden": scorer.bundle.config.model.hidden}
        result["errors of draws"] = errors_of_draws(scorer, int(anchors[0]), others, 2 if options.quick else 5)
        result["agreement"] = agreement(scorer, anchors, others, 0 if options.quick else 1)
        result["agreement"]["candidates"] = len(others)
    return result


def table(result: dict[str, Any]) -> str:
    """The figures to read, as Markdown."""
    lines = [
        "| size | form | pairs/s | times as fast | multiply-adds | share | difference |",
        "|---|---|---|---|---|---|---|",
    ]
    for size, forms in result["layers"].items():
        lines += [
            f"| {size} | {name} | {f['pairs/s']:,.0f} | {f['times as fast']:.2f} | {f['ratio of multiply-adds']:.2f} "
            f"| {f['share']:.0%} | {f['largest difference of a probability']:.0e} |"
            for name, f in forms.items()
        ]
    lines += ["", "| size | 20,000 candidates | ms | times TransE |", "|---|---|---|---|"]
    for size, ways in result["rank"].items():
        lines += [
            f"| {size} | {name} | {1000 * statistics.median(way['seconds']):.0f} | {way['multiple of TransE']:.1f} |"
            for name, way in ways.items()
        ]
    for part in ("errors of draws", "agreement"):
        if part in result:
            lines += ["", part, json.dumps(result[part].get("mean", result[part]), indent=1)]
    return "\n".join(lines)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--run", type=Path, help="folder of a finished run, for rankings of real scores")
    parser.add_argument("--preset", type=Preset, choices=list(Preset), default=Preset.DEFAULT)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--anchors", type=int, default=8)
    parser.add_argument("--quick", action="store_true", help="X-SMALL only, two repeats, one anchor")
    options = parser.parse_args()
    result = measure(options)
    print(table(result))
    if options.out is not None:
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
