"""LeRobot's policies: run by LeRobot's own Python, and asked from Bosun's."""
