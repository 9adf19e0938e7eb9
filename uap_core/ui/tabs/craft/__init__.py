"""The Craft tab."""
