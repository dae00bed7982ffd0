"""Tests of Bosun, laid out like its rooms."""
