"""Tests of what is learned and how."""
