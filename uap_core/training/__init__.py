"""How the embedded networks and the dreamt images were made."""
