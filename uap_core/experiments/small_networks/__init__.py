"""What Szegedy et al. (2014) and Goodfellow et al. (2015) tell of small networks, measured on drawn digits."""
