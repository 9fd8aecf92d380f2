"""The parts of the simulated literature: names, pair designs, what is said, and how it is said."""
