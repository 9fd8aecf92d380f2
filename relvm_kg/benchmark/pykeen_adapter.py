"""Knowledge-graph embeddings trained with PyKEEN; the only module that imports it.

The models see the labels of the training split and nothing of the text. A symmetric relation (GENE-GENE) is trained in
both directions; its score is the mean of both, as is the score of a model with reciprocal relations. An entity or
relation without a training triple has no embedding: its pairs all get one constant, the lowest score among random
pairs of known entities, so that they tie below them.
"""

import copy
import tempfile
from dataclasses import asdict
from time import perf_counter
from typing import Any

import numpy as np
import torch
from pykeen.losses import CrossEntropyLoss, Loss, NSSALoss
from pykeen.models import ComplEx, Model, RotatE, TransE
from pykeen.nn.init import xavier_normal_
from pykeen.regularizers import PowerSumRegularizer
from pykeen.sampling import BasicNegativeSampler, PseudoTypedNegativeSampler
from pykeen.training import LCWATrainingLoop, SLCWATrainingLoop, TrainingCallback, TrainingLoop
from pykeen.triples import CoreTriplesFactory
from pykeen.utils import NoRandomSeedNecessary
from torch import Tensor

from relvm_kg.benchmark.contender import TrainedContender, TrainingRecord
from relvm_kg.benchmark.data import BenchmarkData
from relvm_kg.benchmark.kge_settings import KgeLoss, KgeModel, KgeSettings, Negatives
from relvm_kg.benchmark.ranking import mean_reciprocal_rank, rank
from relvm_kg.benchmark.triples import SYMMETRIC, FloatArray, IntArray, Triples
from relvm_kg.encoding.split import Split
from relvm_kg.progress import Progress, Task
from relvm_kg.types import POSITIVE_RELATIONS, Relation

FLOOR_SAMPLE = 10_000
"""Random pairs of known entities whose lowest score unknown entities get."""
CHUNK = 65_536
"""Pairs scored in one call."""


class KgeContender:
    """Scores catalogue indices with a PyKEEN model over the entities and relations of its training triples."""

    def __init__(self, name: str, train: Triples, n_entities: int, reciprocal: bool) -> None:
        self.name = name
        self.entities = np.unique(np.concatenate([train.heads, train.tails]))
        self.relations = np.unique(train.relations)
        self.reciprocal = reciprocal
        self._local = np.full(n_entities, -1, np.int64)
        self._local[self.entities] = np.arange(len(self.entities))
        self._local_relation = {int(column): i for i, column in enumerate(self.relations)}
        self._arguments = {r: (np.unique(train.of(r).heads), np.unique(train.of(r).tails)) for r in POSITIVE_RELATIONS}
        self._model: Model | None = None
        self._floors: dict[Relation, float] = {}

    @property
    def n_model_relations(self) -> int:
        """Relations of the model, reciprocal ones included."""
        return len(self.relations) * (2 if self.reciprocal else 1)

    def mapped(self, triples: Triples) -> Tensor:
        """Training triples in the model's own ids, with their reciprocals where they are used. *Shape:* (triples, 3)"""
        relations = np.searchsorted(self.relations, triples.relations)
        rows = np.column_stack([self._local[triples.heads], relations, self._local[triples.tails]])
        if self.reciprocal:
            one_way = rows[~np.isin(triples.relations, [r.column for r in SYMMETRIC])]
            reciprocal = one_way[:, 1] + len(self.relations)
            rows = np.concatenate([rows, np.column_stack([one_way[:, 2], reciprocal, one_way[:, 0]])])
        return torch.from_numpy(rows)

    def use(self, model: Model, seed: int) -> None:
        """Score with the present state of a model; must be called again when its weights have changed."""
        self._model = model
        random = np.random.default_rng(seed)
        for relation in POSITIVE_RELATIONS:
            heads, tails = self._arguments[relation]
            if len(heads):
                sample = self._scores(random.choice(heads, FLOOR_SAMPLE), random.choice(tails, FLOOR_SAMPLE), relation)
                self._floors[relation] = float(sample.min())

    def knows(self, entities: IntArray) -> FloatArray:
        """Whether each entity has a training triple."""
        return np.asarray(self._local[entities] >= 0)

    def score_tails(self, head: int, relation: Relation, candidates: IntArray) -> FloatArray:
        """See `Contender.score_tails`."""
        return self.score_pairs(np.full(len(candidates), head), candidates, relation)

    def score_heads(self, tail: int, relation: Relation, candidates: IntArray) -> FloatArray:
        """See `Contender.score_heads`."""
        return self.score_pairs(candidates, np.full(len(candidates), tail), relation)

    def score_pairs(self, heads: IntArray, tails: IntArray, relation: Relation) -> FloatArray:
        """See `Contender.score_pairs`."""
        scores = np.full(len(heads), self._floors.get(relation, 0.0))
        if relation in self._floors:
            known = self.knows(heads) & self.knows(tails)
            scores[known] = self._scores(heads[known], tails[known], relation)
        return scores

    def _scores(self, heads: IntArray, tails: IntArray, relation: Relation) -> FloatArray:
        own = self._local_relation[relation.column]
        scores = self._one_way(heads, own, tails)
        if relation in SYMMETRIC or self.reciprocal:
            back = own if relation in SYMMETRIC else own + len(self.relations)
            scores = (scores + self._one_way(tails, back, heads)) / 2
        return scores

    @torch.inference_mode()
    def _one_way(self, heads: IntArray, model_relation: int, tails: IntArray) -> FloatArray:
        assert self._model is not None
        column = np.full(len(heads), model_relation)
        batch = torch.from_numpy(np.column_stack([self._local[heads], column, self._local[tails]]))
        parts = [self._model.predict_hrt(part.to(self._model.device)) for part in torch.split(batch, CHUNK)]
        return torch.cat(parts)[:, 0].double().cpu().numpy()


def train_kge(data: BenchmarkData, settings: KgeSettings, progress: Progress) -> TrainedContender:
    """Train until validation MRR stops rising or the time is spent; the best weights are kept.

    Args:
        data: Trained on its training positives, stopped by its validation positives.
        settings: How to train.
        progress: Told of each epoch.
    """
    started = perf_counter()
    train = data.positives.part(Split.TRAIN).both_directions()
    reciprocal = settings.negatives is Negatives.ALL
    contender = KgeContender(settings.model.value, train, data.n_entities, reciprocal)
    devices = [settings.device] if settings.device.startswith("cuda") else []
    with torch.random.fork_rng(devices=devices), tempfile.TemporaryDirectory() as folder:
        torch.manual_seed(settings.seed)
        triples = CoreTriplesFactory(contender.mapped(train), len(contender.entities), contender.n_model_relations)
        model = _model(settings, triples)
        with progress.task(f"training {contender.name}", settings.max_epochs, "epoch") as task:
            watch = _Watch(contender, data, settings, task, started)
            _loop(settings, model, triples).train(
                triples,
                num_epochs=settings.max_epochs,
                batch_size=settings.batch_size,
                use_tqdm=False,
                pin_memory=bool(devices),
                callbacks=watch,
                checkpoint_directory=folder,
            )
        model.load_state_dict(watch.best_state)
    contender.use(model, settings.seed)
    return TrainedContender(contender, _record(watch, contender, model, data, perf_counter() - started))


class _Watch(TrainingCallback):  # type: ignore[misc, unused-ignore]
    """Early stopping on filtered, typed, realistic MRR of validation triples, and the time budget."""

    def __init__(
        self, contender: KgeContender, data: BenchmarkData, settings: KgeSettings, task: Task, started: float
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.settings = settings
        self.best, self.best_epoch, self.epoch = -1.0, 0, 0
        self.best_state: dict[str, Any] = {}
        self.stopped_by = "epochs"
        self._contender, self._data, self._task, self._started = contender, data, task, started
        validation = data.positives.part(Split.VALIDATION)
        order = np.random.default_rng(settings.seed).permutation(len(validation))
        self._validation = validation.rows(np.sort(order[: settings.n_validation]))

    def post_epoch(self, epoch: int, epoch_loss: float, **kwargs: Any) -> None:
        """Validate where it is time, and tell the loop to stop."""
        self.epoch = epoch
        self._task.advance(loss=epoch_loss, validation=max(self.best, 0.0))
        spent = perf_counter() - self._started >= self.settings.seconds
        if spent or epoch % self.settings.evaluate_every == 0 or epoch == self.settings.max_epochs:
            self._validate(epoch)
        if epoch - self.best_epoch >= self.settings.patience * self.settings.evaluate_every:
            self._stop("validation")
        elif spent or perf_counter() - self._started >= self.settings.seconds:
            self._stop("time budget")

    def _stop(self, reason: str) -> None:
        self.stopped_by = reason
        # PyKEEN's own stopper callback ends training by the same flag.
        self.training_loop._should_stop = True

    def _validate(self, epoch: int) -> None:
        self._contender.use(self.model, self.settings.seed)
        figure = 0.0
        if len(self._validation):
            ranks = rank(self._contender, self._validation, self._data, self._data.training_partners)
            figure = mean_reciprocal_rank(ranks.typed)
        if figure > self.best:
            self.best, self.best_epoch = figure, epoch
            self.best_state = copy.deepcopy(self.model.state_dict())


def _model(settings: KgeSettings, triples: CoreTriplesFactory) -> Model:
    common: dict[str, Any] = {
        "triples_factory": triples,
        "embedding_dim": settings.dimensions,
        "loss": _loss(settings),
        "random_seed": NoRandomSeedNecessary,
    }
    if settings.model is KgeModel.TRANSE:
        model: Model = TransE(entity_constrainer=None, **common)
    elif settings.model is KgeModel.ROTATE:
        model = RotatE(**common)
    else:
        cubed = {"weight": settings.regularisation, "p": 3.0, "normalize": False}
        model = ComplEx(
            entity_initializer=xavier_normal_,
            relation_initializer=xavier_normal_,
            regularizer=PowerSumRegularizer,
            regularizer_kwargs=cubed,
            **common,
        )
    return model.to(settings.device)


def _loss(settings: KgeSettings) -> Loss:
    if settings.loss is KgeLoss.CROSS_ENTROPY:
        return CrossEntropyLoss()
    return NSSALoss(margin=settings.margin, adversarial_temperature=settings.temperature)


def _loop(settings: KgeSettings, model: Model, triples: CoreTriplesFactory) -> TrainingLoop[Any]:
    common: dict[str, Any] = {
        "model": model,
        "triples_factory": triples,
        "optimizer": torch.optim.Adam(model.get_grad_params(), lr=settings.learning_rate),
        "automatic_memory_optimization": False,
    }
    if settings.negatives is Negatives.ALL:
        return LCWATrainingLoop(**common)
    typed = settings.negatives is Negatives.TYPED
    return SLCWATrainingLoop(
        negative_sampler=PseudoTypedNegativeSampler if typed else BasicNegativeSampler,
        negative_sampler_kwargs={"num_negs_per_pos": settings.n_negatives},
        **common,
    )


def _record(
    watch: _Watch, contender: KgeContender, model: Model, data: BenchmarkData, seconds: float
) -> TrainingRecord:
    tests = data.positives.part(Split.TEST)
    known = contender.knows(tests.heads) & contender.knows(tests.tails)
    settings = asdict(watch.settings)
    settings["n_test_triples_without_embedding"] = int((~known).sum())
    settings["n_training_triples"] = len(data.positives.part(Split.TRAIN))
    return TrainingRecord(
        seconds=seconds,
        n_parameters=model.num_parameters,
        epochs=watch.epoch,
        best_validation=watch.best,
        validation_figure="MRR",
        stopped_by=watch.stopped_by,
        settings=settings,
    )
