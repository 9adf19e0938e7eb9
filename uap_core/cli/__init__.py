"""The commands of ``python -m uap_core``: one file per theme. Heavy modules are imported when a command runs."""
