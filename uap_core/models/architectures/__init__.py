"""The architectures that this project trains."""
