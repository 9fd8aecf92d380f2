"""Health figures in words, the same in the model card, after `train` and in `info`."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

NOT_MEASURED = "not measured: no held-out document mentions a pair of known entities"


def show_gap(values: Mapping[str, float] | None) -> str:
    """A mean in nats with its 95 % interval."""
    if values is None:
        return "not measured"
    places = 2 if abs(values["mean"]) >= 0.1 else 4
    return f"{values['mean']:.{places}f} [{values['low']:.{places}f}, {values['high']:.{places}f}]"


def health_rows(health: Mapping[str, Any] | None, language_model: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Label and text of every figure that a run's report holds."""
    if health is None:
        return [("health", NOT_MEASURED)]
    return [*_likelihood_rows(health, language_model), *_sentence_rows(health), *_pair_rows(health)]


def _likelihood_rows(health: Mapping[str, Any], language_model: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    documents = f" of {health['n_documents']:,} documents" if "n_documents" in health else ""
    yield "held-out text", f"{health['n_contexts']:,} contexts{documents}"
    yield "bound", _per_token(health["bound_per_token"], "at most ")
    part = health.get("likelihood")
    if part is not None:
        yield (
            f"IWAE-{part['samples']}",
            f"{_per_token(part['log_likelihood_per_token'], 'at most ')}, on {part['n_contexts']:,} of the contexts, "
            f"whose bound is {part['bound_per_token']:.3f}",
        )
    if language_model is not None:
        yield (
            "language model, no z",
            f"{_per_token(language_model['log_likelihood_per_token'])}, on those of IWAE "
            f"{language_model['log_likelihood_per_token_of_part']:.3f}; trained on {language_model['share']:.0%} of "
            "the contexts that the run saw",
        )


def _per_token(nats: float, qualifier: str = "") -> str:
    return f"{nats:.3f} nats a token, perplexity {qualifier}{math.exp(min(-nats, 700)):,.1f}"


def _sentence_rows(health: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    information = f", I(c; u) {health['mutual_information']:.3g} nats" if "mutual_information" in health else ""
    yield "KL of u", f"{health['kl']:.3g} nats a context{information}, {health['active_units']} active units"
    if "u_worth" in health:
        yield "worth of u", f"{show_gap(health['u_worth'])} nats a context over u from p(u)"
    fault = sentence_fault(health)
    yield "carries the sentence", "yes" if fault is None else f"NO: {fault}"


def sentence_fault(health: Mapping[str, Any]) -> str | None:
    """What is wrong with u, in words; None if it carries the sentence and pays for itself."""
    if health["active_units"] == 0:
        return "u is asleep, mention-level probabilities say little"
    if not health.get("carries_sentence", True):
        return "u is awake, but costs more KL than it is worth; mention-level probabilities may say little"
    return None


def _pair_rows(health: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "pair's share of Var(z)", f"{health['pair_share']:.3f}"
    yield "gap, other head", f"{show_gap(health['gap_head'])} nats a context, same type and tail"
    yield "gap, other tail", f"{show_gap(health['gap_tail'])} nats a context, same type and head"
    yield "gap, other pair", f"{show_gap(health['gap_two_sided'])} nats a context, which topic alone can give"
    yield (
        "carries the pair",
        {True: "yes", False: "NO", None: "not known: too few documents or entities"}[health["carries_pair"]],
    )
