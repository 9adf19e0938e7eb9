"""Graphs: a graph convolutional network, edges and features flipped for one node, anchors that work for every node."""
