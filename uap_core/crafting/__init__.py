"""Methods that craft universal perturbations: one file per method, one shared loop, ``menu`` lists them."""
