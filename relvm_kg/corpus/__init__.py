"""From annotated text to documents, sentences and the contexts of pairs; from curated files to known relations."""
