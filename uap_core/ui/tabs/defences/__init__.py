"""The Defences tab."""
