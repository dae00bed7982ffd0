from __future__ import annotations

from array import array
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest

from agent.errors import MessageError
from agent.ros import messages
from agent.ros.bus import Bus
from agent.ros.dds import DdsBus
from agent.types import Image
from tests.ros.domains import OWN


@pytest.fixture(scope="module")
def bus() -> Iterator[Bus]:
    with closing(DdsBus(OWN, loopback=True)) as bus:
        yield bus


@pytest.fixture
def image() -> Image:
    return np.random.default_rng(3).integers(0, 256, (24, 32, 3), np.uint8)


def test_images_come_back_as_they_were(bus: Bus, image: Image) -> None:
    for message in (
        messages.raw_image(bus, image, 1.0),
        messages.compressed_image(bus, image, 1.0),
    ):
        back = messages.image_of(message)
        assert np.array_equal(back, image)
        # Whoever is given a picture may draw on it.
        assert back.flags.writeable


def test_a_jpeg_is_smaller_and_alike(bus: Bus) -> None:
    smooth = np.broadcast_to(np.arange(64, dtype=np.uint8)[:, None, None], (64, 64, 3)).copy()
    fine, coarse = (messages.compressed_image(bus, smooth, 1.0, quality=q) for q in (95, 20))
    assert fine.format == coarse.format == "jpeg"
    assert len(coarse.data) < len(fine.data)
    assert np.abs(messages.image_of(fine).astype(int) - smooth).max() <= 3


@pytest.mark.parametrize("form", [list, bytes, bytearray, lambda data: array("B", data)])
def test_bytes_are_read_in_whatever_form_they_come(bus: Bus, image: Image, form: type) -> None:
    for message in (
        messages.raw_image(bus, image, 1.0),
        messages.compressed_image(bus, image, 1.0),
    ):
        message.data = form(message.data)
        assert np.array_equal(messages.image_of(message), image)


def test_an_image_of_another_size_is_refused(bus: Bus, image: Image) -> None:
    message = messages.raw_image(bus, image, 1.0)
    for field, value in (("height", 25), ("step", 95), ("width", 33)):
        broken = messages.raw_image(bus, image, 1.0)
        setattr(broken, field, value)
        with pytest.raises(MessageError, match=f"has {len(message.data)} bytes only"):
            messages.image_of(broken)


@pytest.mark.parametrize("time_s", [0.0, 0.1, 1.999999999, 1_795_912_352.25])
def test_stamps_come_back(bus: Bus, time_s: float) -> None:
    message = messages.stamp(bus, time_s)
    assert 0 <= message.nanosec < 10**9
    assert messages.seconds_of(message) == pytest.approx(time_s, abs=1e-9)


@pytest.mark.parametrize("time_s", [-1e-9, 2.0**31, float("nan"), float("inf")])
def test_a_stamp_that_cannot_be_is_refused(bus: Bus, time_s: float) -> None:
    with pytest.raises(MessageError, match=r"and .* s is not"):
        messages.stamp(bus, time_s)


def test_joints_come_back_in_the_order_asked_for(bus: Bus) -> None:
    positions, velocities = np.array([0.1, -0.2]), np.array([1.0, 2.0])
    message = messages.joint_state(bus, 2.5, ("a", "b"), positions, velocities)
    assert messages.joints_of(message, ("b", "a")).tolist() == [-0.2, 0.1]
    assert message.velocity == [1.0, 2.0]
    assert messages.seconds_of(message.header.stamp) == 2.5
    assert messages.action_of(message, ("a",)).tolist() == [0.1]
    assert not messages.joint_state(bus, 2.5, ("a", "b"), positions).velocity
    with pytest.raises(MessageError, match="one number for each of the joints a, b"):
        messages.joint_state(bus, 2.5, ("a", "b"), positions, velocities[:1])
    with pytest.raises(MessageError, match="no joint 'c'"):
        messages.joints_of(message, ("c",))


def test_numbers_come_back(bus: Bus) -> None:
    values = np.array([0.1, float("nan"), -3.0])
    back = messages.action_of(messages.numbers(bus, values), ("x", "y", "z"))
    assert np.array_equal(back, values, equal_nan=True)
    with pytest.raises(MessageError, match="3 numbers, but 1 names"):
        messages.action_of(messages.numbers(bus, values), ("x",))


def test_text_that_utf8_cannot_hold_still_goes_out(bus: Bus) -> None:
    message = messages.text(bus, "caf\udce9")
    assert message.data == "caf?"
    message.serialize()
