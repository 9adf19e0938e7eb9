"""The pattern itself: the type, everybody's files, the library that ships, and what can be fetched."""
