"""Images as PNG and JPEG."""

from __future__ import annotations

import io

from PIL import Image as PillowImage

from agent.types import Image


def png(image: Image) -> bytes:
    """Return a (H, W, 3) uint8 RGB image as PNG, packed fast rather than small."""
    buffer = io.BytesIO()
    PillowImage.fromarray(image).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def jpeg(image: Image) -> bytes:
    """Return a (H, W, 3) uint8 RGB image as JPEG, for people to look at."""
    buffer = io.BytesIO()
    PillowImage.fromarray(image).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
