"""Where labels say a block is seen is where MuJoCo draws it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import torch

from agent.robots.tabletop.layout import WIDE
from agent.robots.tabletop.robot import TabletopRobot
from agent.robots.tabletop.world import CAMERAS, HOME_POSE, TabletopWorld
from agent.workspace import BLOCK, DRAWER, kind_of
from skills.dataset import OBJECT_NAMES, scene_labels, state_of
from skills.perception.projection import projections

SEEDS = range(4)
FRONT, WRIST = "front", "wrist"


@pytest.fixture(scope="module")
def robot() -> Iterator[TabletopRobot]:
    """Return the one robot of these tests, its cameras well out of place; each resets it."""
    made = TabletopRobot(variation=WIDE)
    yield made
    made.close()


def drawn(world: TabletopWorld, camera: str) -> npt.NDArray[np.int64]:
    """Return which body each pixel shows, -1 for none."""
    renderer = world._cameras._renderers[camera]
    renderer.enable_segmentation_rendering()
    try:
        renderer.update_scene(world.data, camera=camera)
        shown = renderer.render()
    finally:
        renderer.disable_segmentation_rendering()
    # Imported here, for with the robot comes the choice of OpenGL that goes before it.
    from mujoco import mjtObj

    geom = shown[..., 1] == int(mjtObj.mjOBJ_GEOM)
    return np.where(geom, world.model.geom_bodyid[np.where(geom, shown[..., 0], 0)], -1)


def laid_out(robot: TabletopRobot, seed: int, turn: float = 0.0) -> None:
    """Lay out a seed's scene with the tool near home."""
    robot.reset(seed)
    world = robot.world
    pose = HOME_POSE.copy()
    pose[3:] = [0.0, np.cos(turn / 2), np.sin(turn / 2), 0.0]
    world.pose_arm(pose, opening=1.0)
    world.settle()
    robot._seen = None


def projected(robot: TabletopRobot, camera: str) -> dict[str, tuple[float, float, bool]]:
    """Return block -> its column and row in pixels, and whether it is said to be visible.

    Blocks that others stand on, and those in the drawer, are left out: something covers them.
    """
    scene = robot.world.truth()
    labels, state = scene_labels(scene), state_of(robot.observe())
    clear = [
        name
        for name, thing in scene.objects.items()
        if thing.kind == BLOCK and not scene.contents(name) and kind_of(thing.support) != DRAWER
    ]
    position = torch.from_numpy(labels["position"])[None]
    mount = torch.from_numpy(robot.world.mount)[None]
    points = projections(position, torch.from_numpy(state)[None], mount)[camera][0].tolist()
    height, width = CAMERAS[camera]
    return {
        name: ((x + 1) * width / 2 - 0.5, (y + 1) * height / 2 - 0.5, visible > 0)
        for name, (x, y, visible) in zip(OBJECT_NAMES, points, strict=True)
        if name in clear
    }


@pytest.mark.parametrize(("camera", "turn"), [(FRONT, 0.0), (WRIST, 0.0), (WRIST, 0.7)])
def test_blocks_are_drawn_where_they_are_projected(
    robot: TabletopRobot, camera: str, turn: float
) -> None:
    """The pixel shows that block in its colour, at its middle; what is not drawn is not visible."""
    checked = hidden = 0
    for seed in SEEDS:
        laid_out(robot, seed, turn)
        world, body = robot.world, drawn(robot.world, camera)
        image = robot.observe().images[camera]
        for name, (column, row, visible) in projected(robot, camera).items():
            rows, columns = np.nonzero(body == world.model.body(name).id)
            if not visible:
                # At most a corner of it is in the picture.
                assert len(rows) < 20
                hidden += 1
                continue
            if min(column, row, body.shape[1] - column, body.shape[0] - row) < 8:
                continue
            assert np.hypot(columns.mean() - column, rows.mean() - row) < 0.6
            assert body[round(row), round(column)] == world.model.body(name).id
            pixel, colour = image[round(row), round(column)], world.layout.colours[name]
            alike = pixel @ colour / np.linalg.norm(pixel.astype(float)) / np.linalg.norm(colour)
            assert alike > 0.98
            checked += 1
    assert checked >= (8 if camera == FRONT else 3)
    assert hidden == 0 if camera == FRONT else hidden >= 3


def test_cameras_out_of_place_move_the_picture(robot: TabletopRobot) -> None:
    """What the test above allows for is not small: blocks move by many pixels."""
    moved = []
    for seed in SEEDS:
        laid_out(robot, seed)
        found = projected(robot, FRONT)
        robot.world.layout = replace(
            robot.world.layout, camera_shift=np.zeros(3), camera_turn=np.zeros(3)
        )
        nominal = projected(robot, FRONT)
        moved += [np.hypot(*np.subtract(found[name][:2], nominal[name][:2])) for name in found]
    assert max(moved) > 5
