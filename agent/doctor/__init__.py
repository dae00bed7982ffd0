"""What a machine has and lacks for running Bosun, and how to mend it."""
