"""Single skills tried by the whole agent: what its monitor calls usual, and what it finds."""
