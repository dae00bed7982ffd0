"""Chunks of actions in real time: the next is inferred while the last one is carried out."""
