"""Policies offered to other processes over openpi's websocket protocol."""
