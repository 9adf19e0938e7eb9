"""Train the embedded networks and make class impressions."""
