"""A robot that is reached over ROS 2, by whichever bus carries its messages."""
