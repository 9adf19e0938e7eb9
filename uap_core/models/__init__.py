"""Networks: cards, classifiers and loading."""
