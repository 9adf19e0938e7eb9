"""Experiments on sets of images; each yields rows."""
