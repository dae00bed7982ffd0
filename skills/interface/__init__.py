"""What a model of somebody else's expects and gives, as data, and Bosun's own values in it."""
