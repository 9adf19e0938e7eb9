"""What the slides tell of small networks, measured on drawn digits."""
