"""What is attacked: cards, classifiers and how they are loaded."""
