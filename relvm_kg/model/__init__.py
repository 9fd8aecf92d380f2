"""RELVM, the representation model."""
