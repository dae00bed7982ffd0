"""A camera's picture as a model expects it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from agent.types import Image
from skills.interface.schema import CameraInput


def picture(expected: CameraInput, image: Image) -> npt.NDArray[Any]:
    """Return an (H, W, 3) uint8 RGB picture, cropped, resized and turned over as expected.

    Where colours come first it is (3, H, W), and where numbers are units it is float32 in 0..1.
    """
    shown = cropped(image, expected.crop)
    if expected.size is not None:
        shown = _resized(shown, *expected.size, expected.fit)
    if expected.flip in ("vertical", "both"):
        shown = shown[::-1]
    if expected.flip in ("horizontal", "both"):
        shown = shown[:, ::-1]
    if expected.layout == "chw":
        shown = shown.transpose(2, 0, 1)
    shown = np.ascontiguousarray(shown)
    return shown.astype(np.float32) / np.float32(255.0) if expected.unit else shown


def cropped(image: Image, share: float) -> Image:
    """Return the middle of a picture, this share of its height and of its width."""
    height, width = (max(1, round(side * share)) for side in image.shape[:2])
    return _middle(image, height, width)


def enlargement(expected: CameraInput, image: Image) -> float:
    """Return how many times larger a picture is drawn than the camera took it; 1 is as it is."""
    if expected.size is None:
        return 1.0
    taken = cropped(image, expected.crop).shape
    down, across = expected.size[0] / taken[0], expected.size[1] / taken[1]
    return float(min(down, across) if expected.fit == "pad" else max(down, across))


def _resized(image: Image, height: int, width: int, fit: str) -> Image:
    """Return a picture of this size, sampled bilinearly."""
    if image.shape[:2] == (height, width):
        return image
    have_h, have_w = image.shape[:2]
    if fit == "cut":
        ratio = min(have_h / height, have_w / width)
        image = _middle(image, max(1, int(height * ratio)), max(1, int(width * ratio)))
    if fit != "pad":
        return _drawn(image, height, width)
    # As openpi's clients pad, to the pixel: sides are rounded down, and so is the margin.
    ratio = max(have_h / height, have_w / width)
    inner = _drawn(image, max(1, int(have_h / ratio)), max(1, int(have_w / ratio)))
    top, left = (height - inner.shape[0]) // 2, (width - inner.shape[1]) // 2
    padded = np.zeros((height, width, 3), np.uint8)
    padded[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return padded


def _drawn(image: Image, height: int, width: int) -> Image:
    drawn = Pillow.fromarray(image).resize((width, height), Pillow.Resampling.BILINEAR)
    return np.asarray(drawn, np.uint8)


def _middle(image: Image, height: int, width: int) -> Image:
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]
