"""Episodes as a LeRobotDataset v3.0, and such a data set read back; pyarrow is all it needs."""
