"""Deformable shapes: articulated closed meshes, their Laplacian spectrum, and one spectral change that fools for all."""
