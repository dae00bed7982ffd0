"""A small network that hears one word in a stream of sound, and how it was taught."""
