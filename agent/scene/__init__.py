"""What the agent believes is there, over time."""
