"""The default world: a Franka Panda at a table, in MuJoCo."""

from agent.robots.tabletop.gl import choose_gl

# MuJoCo reads the choice of OpenGL back end when it is first imported.
choose_gl()
