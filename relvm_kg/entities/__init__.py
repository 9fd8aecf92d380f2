"""The catalogue of entities, names tables, and the one way from a text to an entity."""
