"""How universal perturbations are found: one file a method, one shared loop; ``menu`` names them for people."""
