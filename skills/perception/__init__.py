"""Scene estimation from images."""
