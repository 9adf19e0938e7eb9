"""What is measured over a set: each experiment yields rows."""
