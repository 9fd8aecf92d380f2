"""The catalogue of ids and names, and grounding of what people type."""
