"""A visitor's own mesh, cloud or list of edges: plain formats, read by hand, and what is wrong with them said in a sentence."""
