"""Pictures of an entity's neighbourhood: SVG and PNG to look at, and a page to explore."""
