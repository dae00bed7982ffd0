"""The robots."""
