"""Tests of planning and verification."""
