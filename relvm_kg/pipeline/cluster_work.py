"""`predict` and `tag` on a cluster: what its workers load, what goes to them, and what comes back."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import pyarrow as pa

from relvm_kg.corpus.sources import TextFormat
from relvm_kg.errors import ClusterError
from relvm_kg.pipeline.predict import PartScorer, Plan, PredictRequest
from relvm_kg.pipeline.ray_cluster import Worker, mapped
from relvm_kg.pipeline.session import Session
from relvm_kg.pipeline.tag import JobRunner, TaggedFile, TaggedFormat, TagJob, TagRequest
from relvm_kg.pipeline.taggers import load_tagger
from relvm_kg.progress import Progress, Silent, Task
from relvm_kg.training.device import Device
from relvm_kg.types import EntityType
from relvm_kg.workspace import Workspace


def score_on(address: str, device: Device = Device.AUTO) -> PartScorer:
    """Scores a prediction run's parts on a Ray cluster whose machines all see the workspace.

    Args:
        address: See `ray_cluster.mapped`.
        device: Where each worker computes.
    """

    def score(plan: Plan, parts: Sequence[int], task: Task) -> Iterator[tuple[int, pa.RecordBatch]]:
        session = plan.session
        path, run_id = str(session.workspace.path.resolve()), session.run_folder.name
        make = partial(_part_worker, path, run_id, device, plan.request, plan.run.run_id)
        for item, result in mapped(address, make, [str(index) for index in parts], gpu=device is not Device.CPU):
            task.advance(plan.n_pairs(int(item)))
            with pa.ipc.open_stream(result) as stream:
                yield int(item), stream.read_next_batch()

    return score


def _part_worker(path: str, run_id: str, device: Device, request: PredictRequest, prediction_run: str) -> Worker:
    """What gives the rows of a part, which it knows by number, as an Arrow stream."""
    plan = Plan.of(Session(Workspace.open(Path(path)), run_id, device=device), request)
    if plan.run.run_id != prediction_run:
        raise ClusterError(f"all machines must see the same workspace; at {path} a worker sees another")
    maker = plan.row_maker()

    def work(item: str) -> bytes:
        rows = maker.rows(plan.parts[int(item)])
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as stream:
            stream.write_batch(rows)
        return bytes(sink.getvalue())

    return work


def tag_on(address: str, names: Path, type_model: Path | None) -> JobRunner:
    """Tags files on a Ray cluster whose machines all see the files, the folder of results and the names catalogue.

    Args:
        address: See `ray_cluster.mapped`.
        names: The tagger's names catalogue.
        type_model: Its type classifier, if it has one.
    """

    def run(jobs: Sequence[TagJob], progress: Progress) -> Iterator[tuple[TagJob, TaggedFile]]:
        if not jobs:
            return
        request = jobs[0].request
        types, form = request.types, request.tagged_format
        places = (request.out.resolve(), names.resolve(), None if type_model is None else type_model.resolve())
        make = partial(_file_worker, *places, types, form, request.tagger.fingerprint)
        by_item = {json.dumps([str(job.source.resolve()), job.text_format.value, job.name]): job for job in jobs}
        with progress.task("tagging", len(jobs), "file") as task:
            for item, result in mapped(address, make, list(by_item)):
                task.advance(1)
                yield by_item[item], TaggedFile.from_mapping(json.loads(result), by_item[item].source)

    return run


def _file_worker(
    out: Path,
    names: Path,
    type_model: Path | None,
    types: tuple[EntityType, ...],
    tagged_format: TaggedFormat,
    fingerprint: str,
) -> Worker:
    """What tags a file in one process and writes the results where all machines see them."""
    tagger = load_tagger(names, type_model)
    if tagger.fingerprint != fingerprint:
        raise ClusterError(f"all machines must see the same names catalogue; at {names} a worker sees another")
    request = TagRequest(out=out, tagger=tagger, types=types, tagged_format=tagged_format, jobs=1)

    def work(item: str) -> bytes:
        source, text_format, name = json.loads(item)
        done = TagJob(Path(source), TextFormat(text_format), request, name).run(Silent())
        return json.dumps(asdict(done)).encode()

    return work
