"""The robots Bosun can drive, each behind `agent.protocols.Robot`."""
