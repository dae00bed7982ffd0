"""Clients of servers that run models of somebody else's."""
