"""The commands of ``python -m uap_core``: one file a theme. Whatever is heavy they import when they run."""
