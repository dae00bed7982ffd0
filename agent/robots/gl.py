"""Choice of an off-screen OpenGL back end before MuJoCo is first imported."""

from __future__ import annotations

import ctypes.util
import importlib
import importlib.util
import os
import sys

from agent.errors import MissingDependency

_LIBRARIES = {"egl": "EGL", "osmesa": "OSMesa"}


def choose_gl() -> str:
    """Set `MUJOCO_GL` unless it is set, and return it.

    EGL needs a GPU's driver to be worth its while, so it is taken where a render node exists;
    OSMesa draws in software anywhere.

    Raises:
        MissingDependency: Neither library is installed.
    """
    chosen = os.environ.get("MUJOCO_GL", "")
    if not chosen and sys.platform == "linux":
        order = (
            ("egl", "osmesa")
            if os.path.exists("/dev/dri/renderD128") or os.path.exists("/dev/nvidiactl")
            else ("osmesa", "egl")
        )
        chosen = next((gl for gl in order if ctypes.util.find_library(_LIBRARIES[gl])), "")
        if not chosen:
            raise MissingDependency(
                "No off-screen OpenGL is installed; run `apt-get install libosmesa6 libegl1`."
            )
        os.environ["MUJOCO_GL"] = chosen
        os.environ.setdefault("PYOPENGL_PLATFORM", chosen)
    if chosen == "osmesa" and importlib.util.find_spec("triton") is not None:
        # Both bring an LLVM of their own. PyOpenGL makes OSMesa's symbols global, and a triton that
        # is loaded later, as it is with torch, binds to those and takes the process down.
        importlib.import_module("triton")
    return chosen
