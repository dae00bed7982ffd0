"""The robots Bosun can drive, each behind `agent.protocols.Robot`."""

from agent.robots.gl import choose_gl

# MuJoCo reads the choice of OpenGL back end when it is first imported, by whichever robot.
choose_gl()
