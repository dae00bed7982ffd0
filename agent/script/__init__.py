"""Mission files: commands with what must come of them, run as tests of the whole robot."""
