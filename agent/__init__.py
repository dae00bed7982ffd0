"""Bosun turns a spoken or typed command into work a robot carries out and checks."""

__version__ = "0.1.0"
