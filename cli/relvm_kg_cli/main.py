"""The program `relvm-kg`."""

import os

import click

from relvm_kg_cli.benchmark import benchmark
from relvm_kg_cli.build import build
from relvm_kg_cli.data import data
from relvm_kg_cli.demo import demo
from relvm_kg_cli.evaluate_tagger import evaluate_tagger
from relvm_kg_cli.evaluate_unseen import evaluate_unseen
from relvm_kg_cli.evidence import evidence
from relvm_kg_cli.export import export
from relvm_kg_cli.find import find
from relvm_kg_cli.graph import graph
from relvm_kg_cli.info import info
from relvm_kg_cli.learning_curve import learning_curve
from relvm_kg_cli.model import model
from relvm_kg_cli.names import names
from relvm_kg_cli.options import epilog
from relvm_kg_cli.output import Program
from relvm_kg_cli.pair_columns import pair_columns
from relvm_kg_cli.predict import predict
from relvm_kg_cli.query import query
from relvm_kg_cli.quickstart import quickstart
from relvm_kg_cli.rank import rank
from relvm_kg_cli.score import score
from relvm_kg_cli.sweep import sweep
from relvm_kg_cli.tag import tag
from relvm_kg_cli.train import train
from relvm_kg_cli.train_types import train_types

COMMANDS: tuple[click.Command, ...] = (
    demo,
    quickstart,
    data,
    names,
    train_types,
    tag,
    build,
    train,
    score,
    rank,
    evidence,
    find,
    predict,
    query,
    export,
    graph,
    benchmark,
    pair_columns,
    sweep,
    learning_curve,
    evaluate_unseen,
    evaluate_tagger,
    model,
    info,
)


class InOrder(Program):
    """Lists the commands in the order in which a person meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of `COMMANDS`."""
        return list(self.commands)


@click.group(
    epilog=epilog("relvm-kg quickstart"),
    cls=InOrder,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="relvm-kg", prog_name="relvm-kg", message="%(prog)s %(version)s")
def main() -> None:
    """Knowledge-graph link prediction for biomedicine with RELVM, a latent-variable model of text.

    Annotated text goes in; scored, evidenced and queried relations between genes, diseases and chemicals come out.

    Exit codes: 0 done, 1 error, 2 wrong usage, 3 unknown name, 4 ambiguous name, 5 no text of an entity,
    6 no relation label for the types, 7 query refused, 8 workspace, 9 collapsed model, 10 graph store, 11 download.
    """
    # PyTorch asks the system for large pages where it lets programs have them: a tenth off training on the CPU.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


for _command in COMMANDS:
    main.add_command(_command)


if __name__ == "__main__":
    main()
