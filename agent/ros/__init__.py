"""Speaking with ROS 2: a bus by protocol, its messages, and what Bosun's own values are in them."""
