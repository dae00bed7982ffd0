"""The tabletop as a MuJoCo model: table, lights, cameras and every object it can hold."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from agent.robots.panda import look_at, panda_spec
from agent.robots.tabletop.fixtures import BUTTONS, DRAWERS, add_button, add_drawer
from agent.workspace import (
    BLOCK,
    BLOCK_HALF,
    BOWL,
    BOWL_RADIUS,
    CAN,
    CAN_HEIGHT,
    CAN_RADIUS,
    OBJECTS,
    PLATE,
    PLATE_RADIUS,
    ZONES,
)

TIMESTEP_S = 0.004
FLOOR_Z = -0.75
BOWL_HEIGHT = 0.045
PLATE_HEIGHT = 0.012
CAMERA_EYE = np.array([1.15, 0.0, 0.72])
CAMERA_TARGET = np.array([0.49, 0.0, 0.0])
CAMERA_FOVY = 36.0
TAPE = "tape"
"""How the names of the lines around the zones begin."""
TABLE_TEXTURES: dict[str, dict[str, mujoco.mjtBuiltin | mujoco.mjtMark]] = {
    "speckled": {
        "builtin": mujoco.mjtBuiltin.mjBUILTIN_FLAT,
        "mark": mujoco.mjtMark.mjMARK_RANDOM,
    },
    "shaded": {"builtin": mujoco.mjtBuiltin.mjBUILTIN_GRADIENT},
    "chequered": {"builtin": mujoco.mjtBuiltin.mjBUILTIN_CHECKER},
}
"""Name -> how MuJoCo makes the texture, which the table's colour tints; nothing is trained on the
last one."""


@dataclass(frozen=True, slots=True)
class Form:
    """A shape, its MuJoCo size in m, and how high its middle stands, m."""

    shape: mujoco.mjtGeom
    size: tuple[float, float, float]
    height: float


DISTRACTORS: dict[str, Form] = {
    "distractor 0": Form(mujoco.mjtGeom.mjGEOM_ELLIPSOID, (0.022, 0.034, 0.020), 0.020),
    "distractor 1": Form(mujoco.mjtGeom.mjGEOM_CYLINDER, (0.016, 0.024, 0.0), 0.024),
    "distractor 2": Form(mujoco.mjtGeom.mjGEOM_BOX, (0.012, 0.036, 0.014), 0.014),
    "distractor 3": Form(mujoco.mjtGeom.mjGEOM_BOX, (0.024, 0.024, 0.007), 0.007),
}
"""Things nobody speaks of."""
_SLIPPERY = 0.45
"""Sliding friction of the table, blocks and the can: with more, what is pushed tips over."""
_TAPE_HALF = 0.004
_BOWL_WALLS = 14


def tabletop_model() -> mujoco.MjModel:
    """Return the compiled world, with everything that any scene holds."""
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
    _add_textures(spec)
    world.add_geom(
        name="table",
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=(0.55, 0.6, 0.02),
        pos=(0.45, 0, -0.02),
        rgba=(0.6, 0.5, 0.4, 1),
        friction=(_SLIPPERY, 0.01, 0.0005),
    )
    world.add_camera(
        name="front",
        pos=CAMERA_EYE,
        fovy=CAMERA_FOVY,
        quat=look_at(CAMERA_EYE, CAMERA_TARGET, up=(0.0, 0.0, 1.0)),
    )
    _add_tape(world)
    for name in DRAWERS:
        add_drawer(spec, name)
    for name in BUTTONS:
        add_button(spec, name)
    for name, kind in OBJECTS.items():
        if name not in (*DRAWERS, *BUTTONS):
            _add_object(world, name, kind)
    for name, form in DISTRACTORS.items():
        # Rolling is damped, so that the round ones stay where they are put.
        _free_body(world, name, 0.05, [2e-5] * 3).add_geom(
            type=form.shape, size=form.size, friction=(0.9, 0.02, 0.002), condim=6
        )
    return spec.compile()


def _add_textures(spec: mujoco.MjSpec) -> None:
    """Add a material for each texture of the table."""
    for name, look in TABLE_TEXTURES.items():
        spec.add_texture(
            name=name,
            type=mujoco.mjtTexture.mjTEXTURE_2D,
            width=256,
            height=256,
            rgb1=(1, 1, 1),
            rgb2=(0.72, 0.72, 0.72),
            markrgb=(0.55, 0.55, 0.55),
            random=0.02,
            **look,
        )
        material = spec.add_material(name=name, texrepeat=(6, 6), texuniform=True)
        material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name


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


def _free_body(
    world: mujoco.MjsBody, name: str, mass: float, inertia: list[float]
) -> mujoco.MjsBody:
    body = world.add_body(name=name)
    body.add_freejoint(name=name)
    # The arm's file restricts which geoms give inertia, so free bodies state theirs.
    body.explicitinertial = True
    body.mass, body.inertia = mass, inertia
    return body


def _add_object(world: mujoco.MjsBody, name: str, kind: str) -> None:
    if kind == BLOCK:
        _free_body(world, name, 0.06, [1.6e-5] * 3).add_geom(
            type=mujoco.mjtGeom.mjGEOM_BOX,
            size=[BLOCK_HALF] * 3,
            friction=(_SLIPPERY, 0.02, 0.0005),
            condim=4,
        )
    elif kind == CAN:
        _add_can(_free_body(world, name, 0.08, [4.2e-5, 4.2e-5, 2.7e-5]), name)
    elif kind == BOWL:
        body = _free_body(world, name, 0.5, [1.2e-3, 1.2e-3, 1.6e-3])
        body.ipos = [0, 0, 0.015]
        _add_bowl_geoms(body)
    elif kind == PLATE:
        body = _free_body(world, name, 0.5, [9e-4, 9e-4, 1.8e-3])
        body.ipos = [0, 0, 0.006]
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_CYLINDER,
            pos=(0, 0, PLATE_HEIGHT / 2),
            size=(PLATE_RADIUS, PLATE_HEIGHT / 2, 0),
            friction=(0.9, 0.02, 0.0005),
        )
        _add_disc(body, f"{name} rim", PLATE_RADIUS * 0.75, PLATE_HEIGHT)


def _add_can(body: mujoco.MjsBody, name: str) -> None:
    """Add a cylinder with a lid of another colour; spinning and rolling are damped."""
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        size=(CAN_RADIUS, CAN_HEIGHT / 2, 0),
        friction=(_SLIPPERY, 0.02, 0.001),
        condim=6,
    )
    _add_disc(body, f"{name} lid", CAN_RADIUS * 0.8, CAN_HEIGHT / 2)


def _add_disc(body: mujoco.MjsBody, name: str, radius: float, height: float) -> None:
    """Lay a thin disc, which nothing touches, on top of a body."""
    body.add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        pos=(0, 0, height + 0.0005),
        size=(radius, 0.0006, 0),
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
