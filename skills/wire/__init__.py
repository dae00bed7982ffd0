"""How policies' inputs and outputs travel between processes; needs only NumPy and msgpack."""
