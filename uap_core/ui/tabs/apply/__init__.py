"""The Apply tab: two pictures, two words, one slider."""
