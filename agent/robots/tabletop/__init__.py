"""The default world: a Franka Panda at a table, in MuJoCo."""
