"""The command line of relvm-kg."""
