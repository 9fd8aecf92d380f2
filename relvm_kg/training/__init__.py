"""The training loop, its trace and its gates."""
