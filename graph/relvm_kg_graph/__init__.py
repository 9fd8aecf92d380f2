"""Storage: scored pairs become a graph to query."""
