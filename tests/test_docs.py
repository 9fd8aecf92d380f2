"""The documentation keeps up with the program: commands, examples, exit codes, layers, links and code."""

import ast
import doctest
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from relvm_kg import errors
from relvm_kg.corpus.jsonl import read_jsonl
from relvm_kg.corpus.read_log import ReadLog
from relvm_kg.corpus.tables import COMENTIONS, CONTEXTS, DOCUMENTS, MENTIONS, RELATIONS, SENTENCES
from relvm_kg.download.registry import REGISTRY
from relvm_kg.entities.catalogue import ENTITY_SCHEMA, SYNONYM_SCHEMA
from relvm_kg_cli.main import main
from relvm_kg_graph.export import ExportFormat
from relvm_kg_graph.queries import NAMED_QUERIES
from relvm_kg_graph.schema import EDGE_SCHEMAS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), *ROOT.glob("[A-Z]*.md")])
FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="the documentation is not beside the tests")


def leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, (*path, name))
        else:
            yield (*path, name), command


LEAVES = dict(leaves(main))


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(path: Path, language: str) -> list[str]:
    found = FENCE.finditer(path.read_text(encoding="utf-8"))
    return [match["code"] for match in found if match["language"] == language]


def typed_commands(path: Path) -> list[list[str]]:
    """The words of every `relvm-kg` line that a page asks to type; a quoted text may go over several lines."""
    found = []
    for code in blocks(path, "console"):
        for given in re.findall(r'^(?:\$ )?relvm-kg ((?:"[^"]*"|[^"\n])+)', code.replace("\\\n", ""), re.MULTILINE):
            found.append(shlex.split(given, comments=True))
    return found


def column(text: str, heading: str) -> list[str]:
    """The first column of the table whose heading starts so, code marks removed."""
    table = text.partition(f"\n| {heading} |")[2].partition("\n\n")[0]
    return [line.split("|")[1].strip().strip("`") for line in table.splitlines()[2:]]


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_the_example_at_the_end_of_a_commands_help_stands_in_the_reference(path: tuple[str, ...]) -> None:
    with click.Context(LEAVES[path], info_name="relvm-kg") as context:
        example = LEAVES[path].get_help(context).rstrip().splitlines()[-1].strip()
    assert example.startswith(" ".join(("relvm-kg", *path)))
    assert f"$ {example}\n" in page("commands.md")


def test_the_reference_of_commands_is_generated_from_the_program() -> None:
    assert re.search(
        r"^::: mkdocs-click\n    :module: relvm_kg_cli\.main\n    :command: main\n", page("commands.md"), re.M
    )


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_command_that_a_page_asks_to_type_parses(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for words in typed_commands(path):
        command: click.Command = main
        while isinstance(command, click.Group):
            command = command.commands[words.pop(0)]
        for word in words:
            make_file(word)
        command.make_context(command.name, words)


def make_file(word: str) -> None:
    """Make the file that a word names, if it looks like one, since some commands take only files that are there."""
    if re.fullmatch(r"\w[\w.-]*[./]\w[\w.]*", word):
        Path(word).parent.mkdir(parents=True, exist_ok=True)
        Path(word).touch()


@pytest.mark.parametrize(
    "error", [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, errors.RelvmKgError)]
)
def test_every_error_stands_beside_its_exit_code(error: type[errors.RelvmKgError]) -> None:
    row = next(line for line in page("errors.md").splitlines() if line.startswith(f"| {error.exit_code} |"))
    assert f"`{error.__name__}`" in row


@pytest.mark.parametrize(
    ("table", "schema"),
    [
        ("documents", DOCUMENTS),
        ("sentences", SENTENCES),
        ("mentions", MENTIONS),
        ("contexts", CONTEXTS),
        ("entities", ENTITY_SCHEMA),
        ("synonyms", SYNONYM_SCHEMA),
        ("relations", RELATIONS),
        ("comentions", COMENTIONS),
    ],
)
def test_the_columns_of_every_table_are_those_that_are_documented(table: str, schema: "object") -> None:
    row = next(line for line in page("data-formats.md").splitlines() if line.startswith(f"| `{table}.parquet` | "))
    described = re.sub(r"\([^)]*\)", "", row.split(" | ")[2])
    assert re.findall(r"`(\w+)`", described) == list(getattr(schema, "names"))  # noqa: B009


def test_every_property_of_an_edge_is_documented() -> None:
    text = page("graph.md")
    for schema in EDGE_SCHEMAS.values():
        assert [name for name in schema.names[2:] if f"`{name}`" not in text] == []


def test_the_named_queries_and_export_formats_are_those_that_are_documented() -> None:
    text = page("graph.md")
    assert column(text, "name") == list(NAMED_QUERIES)
    formats = [name for cell in column(text, "format") for name in re.split(r"`, `", cell)]
    assert sorted(formats) == sorted(form.value for form in ExportFormat)


def test_the_data_sets_and_their_licences_are_those_that_are_documented() -> None:
    text = page("data.md")
    assert column(text, "name") == list(REGISTRY)
    assert [s.name for s in REGISTRY.values() if f"[{s.licence}]({s.licence_url})" not in text] == []


def test_the_layers_are_those_of_the_import_contracts() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(c["layers"] for c in contracts if c["type"] == "layers")
    shown = page("architecture.md").partition("## Layers")[2].partition("```text\n")[2].partition("```")[0]
    assert [re.split(r"\s{2,}", line)[0] for line in shown.splitlines()] == layers


def test_links_lead_to_files_and_headings_that_are_there() -> None:
    for path in PAGES:
        for target in re.findall(r"\]\((?!https?://)([^)\s]+)\)", path.read_text(encoding="utf-8")):
            file = path.parent / target.partition("#")[0] if not target.startswith("#") else path
            assert file.is_file(), f"{path.name} links to {target}"


def test_the_documented_json_line_is_one_that_is_read() -> None:
    example = " ".join(blocks(DOCS / "data-formats.md", "json")[0].split())
    log = ReadLog("example")
    (document,) = read_jsonl([(1, example)], log)
    assert len(document.mentions) == 2
    assert not log.rejected


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_python_code_on_a_page_is_code_and_prompts_give_what_they_show(path: Path) -> None:
    for code in blocks(path, "python"):
        ast.parse(code)
    assert doctest.testfile(str(path), module_relative=False).failed == 0


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_what_a_page_imports_is_there(path: Path) -> None:
    for code in blocks(path, "python"):
        tree = ast.parse(code)
        tree.body = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        exec(compile(tree, path.name, "exec"), {})
