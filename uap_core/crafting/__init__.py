"""How universal perturbations are found: one file a method, one shared loop."""
