"""The tagger: names in text found with a dictionary, told apart by type, linked to ids, and measured against people."""
