"""One file or folder a tab."""
