"""What can stand in front of a network, or in its place."""
