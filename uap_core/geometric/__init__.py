"""Perturbations beyond pictures: of graphs, of point clouds and of deformable shapes, a folder each."""
