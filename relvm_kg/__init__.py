"""relvm-kg: knowledge-graph link prediction for biomedicine with RELVM, a latent-variable model of text."""

from importlib.metadata import version

__version__ = version("relvm-kg")
