"""Every part against the protocol it claims to keep."""
