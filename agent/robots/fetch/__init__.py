"""A Fetch at a table with one block, in MuJoCo."""
