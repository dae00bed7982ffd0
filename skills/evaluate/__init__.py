"""Measuring skills, missions and disturbances by the world's truth."""
