"""How long work reports its progress: the library calls these two protocols, the command line draws bars."""

from types import TracebackType
from typing import Protocol, Self, runtime_checkable


@runtime_checkable
class Task(Protocol):
    """One piece of work under way; leaving the `with` block ends it."""

    def advance(self, n: int = 1, **figures: float) -> None:
        """Count `n` more units done; `figures` (loss, rate ...) stand beside the bar."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@runtime_checkable
class Progress(Protocol):
    """Where tasks are announced."""

    def task(self, label: str, total: int | None, unit: str = "it", done: int = 0) -> Task:
        """Announce work of `total` units (None: unknown), `done` of them finished by an earlier run."""

    def say(self, message: str) -> None:
        """Tell a person something, in words."""


class _SilentTask:
    def advance(self, n: int = 1, **figures: float) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class Silent:
    """Progress for nobody: what library calls use unless told otherwise."""

    def task(self, label: str, total: int | None, unit: str = "it", done: int = 0) -> Task:
        """See `Progress.task`."""
        return _SilentTask()

    def say(self, message: str) -> None:
        """See `Progress.say`."""
