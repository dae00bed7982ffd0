"""The tabletop as a MuJoCo model: table, lights, cameras and every object it can hold."""

from __future__ import annotations

import mujoco
import numpy as np

from agent.robots.tabletop.panda import look_at, panda_spec
from agent.workspace import BLOCK, BLOCK_HALF, BOWL, BOWL_RADIUS, OBJECTS, PLATE_RADIUS, ZONES

TIMESTEP_S = 0.004
FLOOR_Z = -0.75
BOWL_HEIGHT = 0.045
PLATE_HEIGHT = 0.012
CAMERA_EYE = np.array([1.15, 0.0, 0.72])
CAMERA_TARGET = np.array([0.49, 0.0, 0.0])
CAMERA_FOVY = 36.0
TAPE = "tape"
"""How the names of the lines around the zones begin."""
_TAPE_HALF = 0.004
_BOWL_WALLS = 14


def tabletop_model() -> mujoco.MjModel:
    """Return the compiled world; objects that a scene lacks are parked on the floor behind it."""
    spec = panda_spec()
    spec.option.timestep = TIMESTEP_S
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.impratio = 5
    spec.visual.quality.offsamples = 0
    spec.visual.quality.shadowsize = 0
    spec.visual.headlight.ambient = [0.35, 0.35, 0.35]
    spec.visual.headlight.diffuse = [0.25, 0.25, 0.25]
    spec.visual.map.znear = 0.02
    world = spec.worldbody
    for name in ("key", "fill"):
        world.add_light(name=name, pos=(0, 0, 2), dir=(0, 0, -1), castshadow=False)
    world.add_geom(
        name="floor",
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=(5, 5, 1),
        pos=(0, 0, FLOOR_Z),
        rgba=(0.3, 0.3, 0.32, 1),
    )
    world.add_geom(
        name="table",
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=(0.55, 0.6, 0.02),
        pos=(0.45, 0, -0.02),
        rgba=(0.6, 0.5, 0.4, 1),
        friction=(0.8, 0.01, 0.0005),
    )
    world.add_camera(
        name="front",
        pos=CAMERA_EYE,
        fovy=CAMERA_FOVY,
        quat=look_at(CAMERA_EYE, CAMERA_TARGET, up=(0.0, 0.0, 1.0)),
    )
    _add_tape(world)
    for name, kind in OBJECTS.items():
        _add_object(world, name, kind)
    return spec.compile()


def rest_height(kind: str) -> float:
    """Return the height of an object's origin above what it rests on, m."""
    return BLOCK_HALF if kind == BLOCK else 0.0


def _add_tape(world: mujoco.MjsBody) -> None:
    """Mark the border of every zone on the table, as one would with tape; nothing touches it."""
    for name, zone in ZONES.items():
        low, high = np.array(zone.low), np.array(zone.high)
        half = (high - low) / 2
        for side, (x, y) in enumerate(((-1, 0), (1, 0), (0, -1), (0, 1))):
            middle = zone.centre + (half - _TAPE_HALF) * (x, y)
            length = (_TAPE_HALF, half[1]) if x else (half[0], _TAPE_HALF)
            world.add_geom(
                name=f"{TAPE} {name} {side}",
                type=mujoco.mjtGeom.mjGEOM_BOX,
                size=(*length, 0.0003),
                pos=(*middle, 0.0003),
                contype=0,
                conaffinity=0,
            )


def _add_object(world: mujoco.MjsBody, name: str, kind: str) -> None:
    body = world.add_body(name=name)
    body.add_freejoint(name=name)
    # The arm's file restricts which geoms give inertia, so free bodies state theirs.
    body.explicitinertial = True
    if kind == BLOCK:
        body.mass, body.inertia = 0.06, [1.6e-5] * 3
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_BOX,
            size=[BLOCK_HALF] * 3,
            friction=(1.2, 0.02, 0.0005),
            condim=4,
        )
    elif kind == BOWL:
        body.mass, body.inertia, body.ipos = 0.5, [1.2e-3, 1.2e-3, 1.6e-3], [0, 0, 0.015]
        _add_bowl_geoms(body)
    else:
        body.mass, body.inertia, body.ipos = 0.5, [9e-4, 9e-4, 1.8e-3], [0, 0, 0.006]
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_CYLINDER,
            pos=(0, 0, PLATE_HEIGHT / 2),
            size=(PLATE_RADIUS, PLATE_HEIGHT / 2, 0),
            friction=(0.9, 0.02, 0.0005),
        )
        body.add_geom(
            name=f"{name} rim",
            type=mujoco.mjtGeom.mjGEOM_CYLINDER,
            pos=(0, 0, PLATE_HEIGHT + 0.0005),
            size=(PLATE_RADIUS * 0.75, 0.0006, 0),
            contype=0,
            conaffinity=0,
        )


def _add_bowl_geoms(body: mujoco.MjsBody) -> None:
    """Approximate a bowl by a disc and a ring of boxes that lean outwards."""
    base, wall, lean = BOWL_RADIUS * 0.72, 0.004, 0.38
    body.add_geom(type=mujoco.mjtGeom.mjGEOM_CYLINDER, pos=(0, 0, 0.003), size=(base, 0.003, 0))
    slant = BOWL_HEIGHT / np.cos(lean) / 2
    middle = base + np.sin(lean) * slant
    width = np.tan(np.pi / _BOWL_WALLS) * BOWL_RADIUS * 1.02
    for angle in np.arange(_BOWL_WALLS) * 2 * np.pi / _BOWL_WALLS:
        turn, tilt = np.zeros(4), np.zeros(4)
        mujoco.mju_axisAngle2Quat(turn, np.array([0.0, 0.0, 1.0]), angle)
        mujoco.mju_axisAngle2Quat(tilt, np.array([0.0, 1.0, 0.0]), lean)
        quat = np.zeros(4)
        mujoco.mju_mulQuat(quat, turn, tilt)
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_BOX,
            quat=quat,
            size=(wall, width, slant),
            pos=(middle * np.cos(angle), middle * np.sin(angle), BOWL_HEIGHT / 2),
        )
