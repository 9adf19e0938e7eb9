"""Perturbations: the type, files of other projects, the library, and downloads."""
