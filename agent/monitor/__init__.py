"""Watching a running subgoal, and saying what came of it."""
