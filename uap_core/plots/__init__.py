"""Figures from rows, large enough for the back row of a lecture hall. The only place that imports matplotlib."""
