"""The room of games: two networks against each other."""
