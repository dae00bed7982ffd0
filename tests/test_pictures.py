"""Pictures come back from PNG pixel for pixel."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as PillowImage

from agent.pictures import png


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (96, 96), (120, 160)])
def test_every_pixel_comes_back(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    for image in (noise, noise[::-1, ::-1], np.asfortranarray(noise), np.zeros_like(noise)):
        with PillowImage.open(io.BytesIO(png(image)), formats=["PNG"]) as opened:
            assert opened.mode == "RGB"
            assert np.array_equal(np.array(opened), image)


@pytest.mark.parametrize(
    ("image", "error"),
    [
        (np.zeros((4, 4, 4), np.uint8), ValueError),
        (np.zeros((4, 4), np.uint8), ValueError),
        (np.zeros((4, 4, 3)), TypeError),
    ],
)
def test_another_kind_of_image_is_refused(image: np.ndarray, error: type[Exception]) -> None:
    with pytest.raises(error):
        png(image)
