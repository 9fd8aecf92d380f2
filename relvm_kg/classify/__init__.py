"""Classifiers on top of the representation."""
