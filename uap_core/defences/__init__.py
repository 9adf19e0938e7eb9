"""Defences: transformations of the input before the network."""
