"""Progress on stderr: bars on a terminal, a line now and then elsewhere."""

import sys
import time
from types import TracebackType
from typing import Self

import click

from relvm_kg.progress import Task

SECONDS_BETWEEN_LINES = 15.0
"""Between two lines of one task, where stderr is no terminal; a task that ends sooner leaves none."""


BYTES = "B"
"""Unit of tasks that count bytes."""


class TerminalProgress:
    """See `relvm_kg.progress.Progress`."""

    def task(self, label: str, total: int | None, unit: str = "it", done: int = 0) -> Task:
        """A bar, or lines."""
        if sys.stderr.isatty():
            return _Bar(label, total, unit, done)
        return _Lines(label, total, unit, done)

    def say(self, message: str) -> None:
        """A line on stderr, above the bars."""
        if sys.stderr.isatty():
            from tqdm import tqdm

            tqdm.write(message, file=sys.stderr)
        else:
            click.echo(message, err=True)


class _Bar:
    """A tqdm bar, with time left and the figures of the last step."""

    def __init__(self, label: str, total: int | None, unit: str, done: int) -> None:
        from tqdm import tqdm

        self._bar = tqdm(
            desc=label,
            total=total,
            initial=done,
            unit=unit if unit == BYTES else f" {unit}",
            unit_scale=unit == BYTES,
            file=sys.stderr,
            dynamic_ncols=True,
            mininterval=0.2,
            leave=False,
        )

    def advance(self, n: int = 1, **figures: float) -> None:
        if figures:
            self._bar.set_postfix_str(figures_text(figures), refresh=False)
        self._bar.update(n)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()


class _Lines:
    """A line every quarter of a minute, and one at the end of what took as long."""

    def __init__(self, label: str, total: int | None, unit: str, done: int) -> None:
        self._label, self._total, self._done = label, total, done
        self._unit = "" if unit == BYTES else f" {unit}"
        self._before = done
        self._started = self._last = time.monotonic()

    def advance(self, n: int = 1, **figures: float) -> None:
        self._done += n
        now = time.monotonic()
        if now - self._last >= SECONDS_BETWEEN_LINES:
            self._last = now
            self._print(now, figures)

    def _print(self, now: float, figures: dict[str, float]) -> None:
        of = f" of {self._amount(self._total)}" if self._total is not None else ""
        left = ""
        if self._total is not None and self._done > self._before:
            seconds = (now - self._started) * (self._total - self._done) / (self._done - self._before)
            left = f", {duration(seconds)} left"
        told = f", {figures_text(figures)}" if figures else ""
        click.echo(f"{self._label}: {self._amount(self._done)}{of}{self._unit}{left}{told}", err=True)

    def _amount(self, n: int) -> str:
        return f"{n:,}" if self._unit else bytes_text(n)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._last > self._started:
            seconds = duration(time.monotonic() - self._started)
            click.echo(f"{self._label}: {self._amount(self._done)}{self._unit}, done in {seconds}", err=True)


def bytes_text(n: int) -> str:
    """Bytes as people say them.

    >>> bytes_text(950), bytes_text(57_000_000), bytes_text(19_200_000_000)
    ('950 B', '57 MB', '19 GB')
    """
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 1000)):
        if n >= size:
            return f"{n / size:.0f} {unit}" if n >= 10 * size else f"{n / size:.1f} {unit}"
    return f"{n} B"


def figures_text(figures: dict[str, float]) -> str:
    """Figures beside a bar.

    >>> figures_text({"pair_share": 0.25, "sentences_per_second": 812.4})
    'pair share 0.25, sentences/s 812'
    """
    return ", ".join(f"{name.replace('_per_second', '/s').replace('_', ' ')} {v:.3g}" for name, v in figures.items())


def duration(seconds: float) -> str:
    """Seconds as people say them.

    >>> duration(75), duration(7300)
    ('1 min 15 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
