"""Test pairs in six columns: two families of pairs, each at random, with one entity cold, and with both cold."""
