"""The log of a mission: written while it runs, read back afterwards, and shown as a video."""
