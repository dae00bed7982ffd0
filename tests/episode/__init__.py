"""Tests of the episode room."""
