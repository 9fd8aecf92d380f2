"""Errors that a person can act on: each states the rule, the value that broke it, and what to do."""


class RelvmKgError(Exception):
    """Base of every error that the commands print as one sentence instead of a traceback."""

    exit_code = 1


class InvalidInputError(RelvmKgError):
    """A file, record or setting breaks a documented rule."""


class DamagedFileError(InvalidInputError):
    """A file of the program's own whose bytes are not those that were written."""


class UnknownEntityError(RelvmKgError):
    """A name or id that the catalogue does not hold; the message lists the nearest names."""

    exit_code = 3


class AmbiguousEntityError(RelvmKgError):
    """A name that several entities share; the message lists them."""

    exit_code = 4


class NoTextError(RelvmKgError):
    """A known entity that no sentence of the training text mentions, so that nothing can be said of it."""

    exit_code = 5


class NoRelationForTypesError(RelvmKgError):
    """A pair of entity types that no relation label joins, or of whose label the model learned nothing."""

    exit_code = 6


class QueryRefusedError(RelvmKgError):
    """A statement that the read-only guard does not let through."""

    exit_code = 7


class WorkspaceError(RelvmKgError):
    """A workspace that is missing, locked, of another format version, or does not fit the model."""

    exit_code = 8


class CollapseError(RelvmKgError):
    """A training run whose representation carries nothing of the pair (or of the sentence)."""

    exit_code = 9


class StoreError(RelvmKgError):
    """A graph store that cannot be reached, refuses the credentials, or holds another schema."""

    exit_code = 10


class DownloadError(RelvmKgError):
    """A data set that cannot be fetched, or whose bytes are not those that were expected."""

    exit_code = 11


class ClusterError(RelvmKgError):
    """A cluster of machines that does not answer, lacks what is needed, or fails at its work."""

    exit_code = 12
