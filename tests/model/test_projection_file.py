"""What a model folder keeps for new entities: a round trip, and files that do not fit."""

from pathlib import Path

import numpy as np
import pytest

from relvm_kg.encoding.projection import Projector
from relvm_kg.errors import InvalidInputError
from relvm_kg.model.presets import ModelConfig
from relvm_kg.model.projection_file import PROJECTION, load_projection, save_projection

MODEL = ModelConfig(hidden=8, latent=6, embedding=12)


def projector(n_text: int = 6, n_comention: int = 6) -> Projector:
    random = np.random.default_rng(0)
    shapes = ((30,), (30, n_text), (20, n_comention))
    return Projector(*(random.standard_normal(shape).astype(np.float32) for shape in shapes))


@pytest.mark.parametrize(("n_text", "n_comention"), [(6, 6), (12, 0), (0, 12)])
def test_a_projection_comes_back_in_half_precision(tmp_path: Path, n_text: int, n_comention: int) -> None:
    kept = projector(n_text, n_comention)
    save_projection(tmp_path, kept)
    found = load_projection(tmp_path, 30, 20, MODEL)
    np.testing.assert_array_equal(found.inverse, kept.inverse)
    for one, other in ((found.text, kept.text), (found.comention, kept.comention)):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("n_vocabulary", "n_entities", "parts"), [(31, 20, (6, 6)), (30, 21, (6, 6)), (30, 20, (6, 7))]
)
def test_a_projection_of_another_model_is_refused(
    tmp_path: Path, n_vocabulary: int, n_entities: int, parts: tuple[int, int]
) -> None:
    save_projection(tmp_path, projector(*parts))
    with pytest.raises(InvalidInputError, match="must hold inverse"):
        load_projection(tmp_path, n_vocabulary, n_entities, MODEL)


def test_a_damaged_projection_is_refused(tmp_path: Path) -> None:
    save_projection(tmp_path, projector())
    path = tmp_path / PROJECTION
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(InvalidInputError, match="damaged"):
        load_projection(tmp_path, 30, 20, MODEL)
