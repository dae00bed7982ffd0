"""Planners turn a command into subgoals; the verifier checks them before anything moves."""
