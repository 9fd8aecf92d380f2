"""Scores and ranks of pairs, with uncertainty."""
