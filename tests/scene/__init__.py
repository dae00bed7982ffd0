"""Tests of what is believed to be there."""
