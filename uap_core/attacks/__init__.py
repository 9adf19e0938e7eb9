"""How one image is attacked: one file a method, one shared contract."""
