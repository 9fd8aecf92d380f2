"""Public vocabularies (HGNC, MeSH, MONDO, DOID and maps between ids) as rows of the names catalogue."""
