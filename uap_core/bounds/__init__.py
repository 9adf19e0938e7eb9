"""What can be proved of a network: upper bounds on its Lipschitz constant."""
