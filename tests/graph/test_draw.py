"""Pictures of a neighbourhood show what the graph holds, and nothing in a name can do harm."""

import json
import math
import shutil
import subprocess
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow as pa
import pytest

from relvm_kg.errors import UnknownEntityError
from relvm_kg.pipeline.draw import draw_neighbourhood
from relvm_kg.workspace import Workspace
from relvm_kg_graph.draw.layout import LABEL_LENGTH, label_of, radial_layout
from relvm_kg_graph.draw.neighbourhood import Neighbourhood, neighbourhood
from relvm_kg_graph.draw.page import draw_page
from relvm_kg_graph.draw.still import draw_still
from relvm_kg_graph.draw.style import notes
from relvm_kg_graph.embedded import EmbeddedStore
from relvm_kg_graph.schema import EdgeType
from relvm_kg_graph.store import BaseGraph, Selection, write_predictions

HOSTILE = "</script><img src=x onerror=\"document.title='harmed'\">{{SCRIPT}} $x_1$ &amp; \x01 \u2028 <!--"
RUN_1 = Selection(runs=("run-1",))


@pytest.fixture
def filled_store(embedded_store: EmbeddedStore, world: Any) -> EmbeddedStore:
    """The graph of `fill`."""
    world.fill(embedded_store)
    return embedded_store


@pytest.fixture
def hostile(embedded_store: EmbeddedStore, world: Any) -> Neighbourhood:
    """A centre and a neighbour with names that no page may run, in a run of such a name's model."""
    rows = world.entities("g1", "d1", "c1").to_pylist()
    for row in rows:
        row |= {"name": HOSTILE, "synonyms": [HOSTILE]}
    entities = pa.RecordBatch.from_pylist(rows, schema=world.entities("g1").schema)
    known = world.known("d1-g1").to_pylist()
    known[0] |= {"primary_knowledge_source": HOSTILE, "publications": [HOSTILE, "PMID:1"]}
    base = BaseGraph(entities=[entities], known=[pa.RecordBatch.from_pylist(known, schema=world.known("d1-g1").schema)])
    embedded_store.write_base(base)
    run = world.run("run-1", model_id=HOSTILE)
    write_predictions(embedded_store, run, [world.predictions(d1_g1=0.5, c1_g1=0.25)])
    return neighbourhood(embedded_store, "NCBIGene:1", Selection())


def around(n: int, world: Any, store: EmbeddedStore, *types: str) -> Neighbourhood:
    """A gene with `n` predicted neighbours of these types in turn."""
    names = [f"{types[i % len(types)]}{i + 2}" for i in range(n)]
    rows = world.entities("g1", *names).to_pylist()
    rows = [row | {"name": f"a name that is too long for any label {row['id']}"} for row in rows]
    store.write_base(BaseGraph(entities=[pa.RecordBatch.from_pylist(rows, schema=world.entities("g1").schema)]))
    write_predictions(store, world.run("run-1"), [world.predictions(**{f"{name}_g1": 0.5 for name in names})])
    return neighbourhood(store, "NCBIGene:1", Selection(), limit=500)


def test_a_neighbourhood_has_every_edge_of_its_pairs(filled_store: EmbeddedStore) -> None:
    found = neighbourhood(filled_store, "NCBIGene:1", RUN_1)
    assert found.centre.id == "NCBIGene:1"
    pairs = Counter(frozenset((edge.subject, edge.object)) - {"NCBIGene:1"} for edge in found.edges)
    assert pairs == {
        frozenset({"MESH:D1"}): 3,
        frozenset({"NCBIGene:2"}): 1,
        frozenset({"NCBIGene:3"}): 1,
        frozenset({"MESH:C1"}): 1,
        frozenset({"MESH:C2"}): 1,
        frozenset({"MESH:D2"}): 1,
    }
    assert (found.n_pairs, found.n_pairs_left_out) == (6, 0)
    assert {node.id for node in found.nodes} == {next(iter(pair)) for pair in pairs} | {"NCBIGene:1"}
    assert found.run is not None
    assert found.run.run_id == "run-1"


def test_types_of_edge_take_turns_until_the_limit_and_what_is_left_out_is_counted(filled_store: EmbeddedStore) -> None:
    found = neighbourhood(filled_store, "NCBIGene:1", RUN_1, limit=3)
    assert [node.id for node in found.nodes[1:]] == ["MESH:D1", "NCBIGene:2", "MESH:C1"]
    assert (found.n_pairs, found.n_pairs_left_out) == (3, 3)
    assert "the best 3 of 6 pairs" in notes(found)[0]


def test_a_pair_that_a_later_step_meets_again_is_left_out_once_or_not_at_all(
    embedded_store: EmbeddedStore, world: Any
) -> None:
    embedded_store.write_base(BaseGraph(entities=[world.entities("g1", "d1", "c1", "c2")]))
    scores = {"d1_g1": 0.875, "c1_g1": 0.5, "c2_g1": 0.25, "c1_d1": 0.5}
    write_predictions(embedded_store, world.run("run-1"), [world.predictions(**scores)])
    found = neighbourhood(embedded_store, "NCBIGene:1", Selection(hops=3), limit=1)
    pairs = [(edge.subject, edge.object) for edge in found.edges]
    assert pairs == [("MESH:D1", "NCBIGene:1"), ("MESH:C1", "MESH:D1"), ("MESH:C1", "NCBIGene:1")]
    assert (found.n_pairs, found.n_pairs_left_out) == (3, 1)


def test_steps_go_on_from_what_the_last_one_found(filled_store: EmbeddedStore) -> None:
    known = Selection(edge_types=(EdgeType.ASSOCIATED,), hops=2)
    found = neighbourhood(filled_store, "NCBIGene:1", known)
    steps = {node.id: (node.step, node.parent) for node in found.nodes}
    assert steps == {
        "NCBIGene:1": (0, None),
        "MESH:D1": (1, "NCBIGene:1"),
        "NCBIGene:2": (1, "NCBIGene:1"),
        "MESH:C1": (2, "MESH:D1"),
    }
    assert {(edge.subject, edge.object) for edge in found.edges} == {
        ("MESH:D1", "NCBIGene:1"),
        ("NCBIGene:1", "NCBIGene:2"),
        ("MESH:C1", "NCBIGene:2"),
        ("MESH:C1", "MESH:D1"),
    }
    assert found.run is None


def test_a_neighbourhood_is_narrowed_as_an_export_is(filled_store: EmbeddedStore) -> None:
    narrow = Selection(edge_types=(EdgeType.PREDICTED,), runs=("run-1",), min_score=0.6)
    found = neighbourhood(filled_store, "NCBIGene:1", narrow)
    assert [edge.properties["score"] for edge in found.edges] == [0.875, 0.625]


def test_a_picture_is_written_to_this_folder_whatever_the_id(
    world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace.create(tmp_path / "workspace")
    rows = [row | {"id": "DOID:../a b"} for row in world.entities("d1").to_pylist()]
    with EmbeddedStore(workspace.graph_dir) as store:
        store.write_base(BaseGraph(entities=[pa.RecordBatch.from_pylist(rows, schema=world.entities("d1").schema)]))
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    draw_neighbourhood(workspace, "DOID:../a b", (), Selection())
    assert sorted(file.name for file in here.iterdir()) == ["DOID-..-a-b.html", "DOID-..-a-b.svg"]


def test_a_number_that_is_not_finite_is_no_property_of_a_picture(
    embedded_store: EmbeddedStore, world: Any, tmp_path: Path
) -> None:
    embedded_store.write_base(BaseGraph(entities=[world.entities("g1", "d1", "c1")]))
    batch = world.predictions(d1_g1=0.5, c1_g1=0.25)
    rows = [row | {"uncertainty": value} for row, value in zip(batch.to_pylist(), (math.nan, 0.125), strict=True)]
    write_predictions(embedded_store, world.run("run-1"), [pa.RecordBatch.from_pylist(rows, schema=batch.schema)])
    found = neighbourhood(embedded_store, "NCBIGene:1", Selection())
    assert [edge.properties.get("uncertainty") for edge in found.edges] == [None, 0.125]
    draw_still(found, tmp_path / "picture.svg", "svg")
    assert '"uncertainty":[0.125,0.125]' in draw_page(found)


def test_an_svg_holds_a_name_in_any_script_without_a_word_about_fonts(
    embedded_store: EmbeddedStore, world: Any, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    rows = [row | {"name": "筋萎縮"} for row in world.entities("d1").to_pylist()]
    entities = pa.RecordBatch.from_pylist(rows, schema=world.entities("d1").schema)
    embedded_store.write_base(BaseGraph(entities=[entities]))
    draw_still(neighbourhood(embedded_store, "MESH:D1", Selection()), tmp_path / "picture.svg", "svg")
    assert "筋萎縮" in (tmp_path / "picture.svg").read_text(encoding="utf-8")
    assert not recwarn.list


def test_an_entity_without_edges_is_drawn_alone_and_one_that_is_not_there_is_refused(
    filled_store: EmbeddedStore, tmp_path: Path
) -> None:
    alone = neighbourhood(filled_store, "MESH:C3", Selection(runs=()))
    assert (len(alone.nodes), alone.edges) == (1, ())
    draw_still(alone, tmp_path / "alone.svg", "svg")
    assert "no edges" in (tmp_path / "alone.svg").read_text()
    assert "no edges" in draw_page(alone)
    with pytest.raises(UnknownEntityError, match="the graph has no entity NCBIGene:99"):
        neighbourhood(filled_store, "NCBIGene:99", Selection())


@pytest.mark.parametrize("n", [1, 2, 3, 8, 13, 14, 15, 40, 150])
def test_labels_of_a_ring_do_not_overlap(n: int, world: Any, embedded_store: EmbeddedStore) -> None:
    found = around(n, world, embedded_store, "d", "c")
    layout = radial_layout(found)
    assert all(len(label_of(node)) <= LABEL_LENGTH for node in found.nodes)
    places = sorted((layout.places[node.id] for node in found.nodes[1:]), key=lambda place: place.angle)
    for first, second in zip(places, [*places[1:], *places[:1]], strict=True):
        same_side = (first.x < 0) == (second.x < 0)
        if layout.level_labels and same_side and n > 1:
            assert abs(first.y - second.y) >= 1
        elif not layout.level_labels:
            assert math.hypot(first.x - second.x, first.y - second.y) >= 1
    left, right, bottom, top = layout.box
    assert all(left <= place.x <= right and bottom <= place.y <= top for place in places)


def test_a_still_picture_holds_all_names_as_text_and_is_the_same_every_time(
    filled_store: EmbeddedStore, tmp_path: Path
) -> None:
    found = neighbourhood(filled_store, "NCBIGene:1", RUN_1)
    for name in ("one.svg", "two.svg", "one.png", "two.png"):
        draw_still(found, tmp_path / name, name[-3:])
    texts = [element.text for element in ElementTree.parse(tmp_path / "one.svg").iter() if element.text]
    for node in found.nodes:
        assert f"name of {'gdc'['GDC'.index(node.type[0])]}{node.id[-1]}" in texts
    assert "predictions of run run-1: scores are not calibrated, they only rank" in texts
    assert "predicted, score 0.88" in texts
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")


class Elements(HTMLParser):
    """Start tags of a page, and the text of its scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str | None]] = []
        self.scripts: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += attrs
        self._in_script = tag == "script"
        if self._in_script:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts[-1] += data


def test_nothing_in_the_data_becomes_markup(hostile: Neighbourhood, tmp_path: Path) -> None:
    page = Elements()
    page.feed(draw_page(hostile))
    assert (page.tags["script"], page.tags["img"]) == (3, 0)
    data = json.loads(page.scripts[0])
    assert data["elements"]["nodes"][0]["data"]["properties"]["name"] == HOSTILE
    assert data["elements"]["edges"][0]["data"]["properties"]["publications"] == [HOSTILE, "PMID:1"]
    draw_still(hostile, tmp_path / "hostile.svg", "svg")
    drawn = ElementTree.parse(tmp_path / "hostile.svg")
    assert not list(drawn.iter("{http://www.w3.org/2000/svg}img"))
    assert any("</script><img" in (element.text or "") for element in drawn.iter())


def test_a_page_needs_nothing_but_itself(hostile: Neighbourhood) -> None:
    page = Elements()
    page.feed(draw_page(hostile))
    assert {name for name, _ in page.attributes} & {"src", "href", "srcset", "action", "data"} == set()
    policy = next(value for name, value in page.attributes if name == "content" and value and "default-src" in value)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy


@pytest.mark.slow
def test_a_browser_draws_a_page_and_runs_nothing_of_the_data(hostile: Neighbourhood, tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium or Chrome to look at the page with")
    file = tmp_path / "page.html"
    file.write_text(draw_page(hostile), encoding="utf-8")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", "--dump-dom"]
    command += [f"--user-data-dir={tmp_path / 'browser'}", file.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    page = Elements()
    page.feed(shown)
    assert page.tags["canvas"] >= 1
    assert page.tags["img"] == 0
    assert "<title>harmed" not in shown
    assert "Point at an entity or a line" in shown
