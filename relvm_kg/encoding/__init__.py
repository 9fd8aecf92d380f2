"""Vocabulary, token store, batches, text and co-mention profiles."""
