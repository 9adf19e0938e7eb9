"""Point clouds: analytic solids, a small PointNet, points moved and added for one cloud, and for all of them at once."""
