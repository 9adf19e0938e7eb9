"""The Lab's room Beyond pictures: graphs, point clouds, deformable shapes."""
