"""Files: paths, atomic writing, downloads, and tables of results."""
