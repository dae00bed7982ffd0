"""The drawer and the button: bodies that stay where a scene puts them, each with a moving part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import mujoco
import numpy as np

from agent.types import Scene
from agent.workspace import BUTTON, DRAWER, DRAWER_TRAVEL, OBJECTS, TRAY_BEHIND_HANDLE

DRAWERS = tuple(name for name, kind in OBJECTS.items() if kind == DRAWER)
BUTTONS = tuple(name for name, kind in OBJECTS.items() if kind == BUTTON)

HANDLE_Z = 0.036
"""Height of the middle of a drawer's handle, m."""
CAP_Z = 0.032
"""Height of a button's cap at rest, m."""
CAP_TRAVEL = 0.008
PRESSED, RELEASED = 0.005, 0.003
"""How far the cap must go down for the lamp to switch, and come up to be ready again, m."""
CABINET_HALF = (0.121, 0.047)
"""Half width along y and half height of a drawer's cabinet, m."""
CABINET_X = (-0.140, -0.036)
"""Where along x a cabinet begins and ends, from the handle of the drawer when it is shut, m."""
TRAY_HALF = (0.045, 0.110)
"""Half length along x and width along y of a drawer's tray, m."""
TRAY_FLOOR_Z = 0.007
"""Height of what lies in a tray, m."""
BUTTON_HALF = (0.045, 0.030)
"""Half the length along x and width along y of a button's box, m."""
BUTTON_MIDDLE = 0.017
"""How far along x the middle of a button's box is from its cap, m."""

_DAMPING, _JAMMED = 6.0, 1e6
"""What a drawer opposes to being slid, N s/m, and what one does that is jammed."""
_WALL = 0.003
_TRAY_WALL_Z, _PANEL_Z, _FLAP_Z = 0.004, 0.022, 0.044
_LAMP_X = 0.044
_OFF, _LIT = (0.10, 0.13, 0.11), (1.0, 0.93, 0.45)
_CABINET_RGB, _PANEL_RGB, _TRAY_RGB = (0.34, 0.36, 0.42), (0.78, 0.72, 0.60), (0.55, 0.50, 0.44)
_FLAP_RGB = (0.27, 0.29, 0.35)
_BOX, _CYLINDER = mujoco.mjtGeom.mjGEOM_BOX, mujoco.mjtGeom.mjGEOM_CYLINDER


def add_drawer(spec: mujoco.MjSpec, name: str) -> None:
    """Add a cabinet that lies open towards +x, and a tray with a front that slides out of it.

    The frame's origin lies on the table under the handle of the drawer when it is shut; the sliding
    body's is in the handle, a fin along x that fingers which open along y close on.
    """
    cabinet = spec.worldbody.add_body(name=_frame(name))
    half_y, half_z = CABINET_HALF
    length = (CABINET_X[1] - CABINET_X[0]) / 2
    middle = (CABINET_X[0] + CABINET_X[1]) / 2
    for side in (-1, 1):
        _box(cabinet, (middle, side * half_y, half_z), (length, _WALL, half_z), _CABINET_RGB)
    _box(cabinet, (middle, 0, 2 * half_z), (length, half_y + _WALL, _WALL), _CABINET_RGB)
    _box(cabinet, (CABINET_X[0], 0, half_z), (_WALL, half_y, half_z), _CABINET_RGB)
    # A flap hides what is in there; things pass through it, as they are higher than its edge.
    flap = (2 * half_z - _FLAP_Z) / 2
    cabinet.add_geom(
        type=_BOX,
        pos=(CABINET_X[1], 0, _FLAP_Z + flap),
        size=(0.001, half_y, flap),
        rgba=(*_FLAP_RGB, 1),
        contype=0,
        conaffinity=0,
    )
    tray = cabinet.add_body(name=name, pos=(0, 0, HANDLE_Z))
    tray.explicitinertial = True
    tray.mass, tray.inertia = 0.4, [1.5e-3, 8e-4, 2e-3]
    tray.ipos = [-TRAY_BEHIND_HANDLE, 0, 0.01 - HANDLE_Z]
    tray.add_joint(
        name=name,
        type=mujoco.mjtJoint.mjJNT_SLIDE,
        axis=(1, 0, 0),
        range=(0, DRAWER_TRAVEL),
        limited=True,
        damping=[_DAMPING, 0, 0],
        frictionloss=1.0,
    )
    _add_tray_geoms(tray)
    spec.add_exclude(bodyname1=_frame(name), bodyname2=name)


def _add_tray_geoms(tray: mujoco.MjsBody) -> None:
    """Add a floor, low walls that fingers pass above, a front and the handle on it."""
    back, (half_x, half_y) = -TRAY_BEHIND_HANDLE, TRAY_HALF
    wall_z = TRAY_FLOOR_Z + _TRAY_WALL_Z - HANDLE_Z
    _box(tray, (back, 0, TRAY_FLOOR_Z - 0.002 - HANDLE_Z), (half_x, half_y, 0.002), _TRAY_RGB)
    for side in (-1, 1):
        _box(tray, (back, side * half_y, wall_z), (half_x, _WALL, _TRAY_WALL_Z), _TRAY_RGB)
    _box(tray, (back - half_x, 0, wall_z), (_WALL, half_y, _TRAY_WALL_Z), _TRAY_RGB)
    front = back + half_x + _WALL
    panel = (_WALL, half_y + 2 * _WALL, _PANEL_Z)
    _box(tray, (front, 0, _PANEL_Z + 0.002 - HANDLE_Z), panel, _PANEL_RGB)
    length = (0.006 - front) / 2
    fin = (length, 0.009, 0.015)
    _box(tray, (front + length, 0, 0), fin, (0.07, 0.07, 0.08), friction=1.6)


def add_button(spec: mujoco.MjSpec, name: str) -> None:
    """Add a box with a cap on a spring, and a lamp beside it, on the far side from the robot.

    The frame's origin lies on the table under the cap; the moving body's is on top of the cap.
    """
    box = spec.worldbody.add_body(name=_frame(name))
    _box(box, (BUTTON_MIDDLE, 0, 0.011), (*BUTTON_HALF, 0.011), (0.20, 0.20, 0.22))
    material = spec.add_material(name=_lamp(name))
    box.add_geom(
        name=_lamp(name),
        type=mujoco.mjtGeom.mjGEOM_SPHERE,
        pos=(_LAMP_X, 0, 0.026),
        size=(0.014, 0, 0),
        material=material.name,
    )
    cap = box.add_body(name=name, pos=(0, 0, CAP_Z))
    cap.explicitinertial = True
    cap.mass, cap.inertia = 0.02, [1e-5] * 3
    cap.add_joint(
        name=name,
        type=mujoco.mjtJoint.mjJNT_SLIDE,
        axis=(0, 0, 1),
        range=(-CAP_TRAVEL, 0),
        limited=True,
        stiffness=[150.0, 0, 0],
        springref=0.004,
        damping=[1.5, 0, 0],
    )
    cap.add_geom(
        type=_CYLINDER, pos=(0, 0, -0.006), size=(0.017, 0.006, 0), rgba=(0.85, 0.15, 0.62, 1)
    )
    spec.add_exclude(bodyname1=_frame(name), bodyname2=name)


def place(model: mujoco.MjModel, name: str, position: np.ndarray) -> None:
    """Put a fixture somewhere: (3,) m on the table, under a shut drawer's handle or under a cap."""
    model.body_pos[model.body(_frame(name)).id] = position


def jam(model: mujoco.MjModel, jammed: Sequence[str]) -> None:
    """Jam these drawers where they are, and free all others."""
    for name in DRAWERS:
        damping = _JAMMED if name in jammed else _DAMPING
        model.dof_damping[model.joint(name).dofadr] = damping


class Lamps:
    """The lamps of all buttons; each switches once for every time its button goes down."""

    def __init__(self, model: mujoco.MjModel) -> None:
        """Find the buttons' caps."""
        self._model = model
        self._caps = {name: model.joint(name).qposadr[0] for name in BUTTONS}
        self._lit = dict.fromkeys(BUTTONS, False)
        self._down = dict.fromkeys(BUTTONS, False)

    def reset(self, scene: Scene) -> None:
        """Set every lamp to what a scene says; no button is down."""
        there = scene.objects
        self._lit = {n: n in there and (there[n].articulation or 0.0) > 0 for n in BUTTONS}
        self._down = dict.fromkeys(BUTTONS, False)
        self.show()

    def update(self, data: mujoco.MjData) -> None:
        """Switch the lamp of a button that has gone down; asked after every physics step."""
        for name, cap in self._caps.items():
            depth = -data.qpos[cap]
            if not self._down[name] and depth > PRESSED:
                self._down[name], self._lit[name] = True, not self._lit[name]
            elif depth < RELEASED:
                self._down[name] = False

    def snapshot(self) -> dict[str, dict[str, bool]]:
        """Return which lamps are lit and which buttons are down, as JSON has it."""
        return {"lit": dict(self._lit), "down": dict(self._down)}

    def restore(self, snapshot: Mapping[str, Mapping[str, bool]]) -> None:
        """Make lamps and buttons what they were."""
        self._lit, self._down = dict(snapshot["lit"]), dict(snapshot["down"])
        self.show()

    def lit(self, name: str) -> bool:
        """Return whether a button's lamp is on."""
        return self._lit[name]

    def show(self) -> None:
        """Draw every lamp on or off."""
        for name, lit in self._lit.items():
            material = self._model.material(_lamp(name)).id
            self._model.mat_rgba[material, :3] = _LIT if lit else _OFF
            self._model.mat_emission[material] = 0.9 if lit else 0.0


def _frame(name: str) -> str:
    return f"{name} frame"


def _lamp(name: str) -> str:
    return f"{name} lamp"


def _box(
    body: mujoco.MjsBody,
    position: tuple[float, float, float],
    size: tuple[float, float, float],
    colour: tuple[float, float, float],
    friction: float = 0.9,
) -> None:
    body.add_geom(
        type=_BOX, pos=position, size=size, rgba=(*colour, 1), friction=(friction, 0.02, 0.0005)
    )
