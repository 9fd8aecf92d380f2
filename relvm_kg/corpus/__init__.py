"""Readers, sentences, pair contexts and relation files."""
