"""From files of annotated text to documents, sentences and the contexts of pairs, and from curated files to relations."""
