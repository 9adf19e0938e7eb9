"""How the page runs long work: queue, stop, low priority, lent graphics card, refresh of the open tab."""
