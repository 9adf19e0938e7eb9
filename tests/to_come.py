"""What the recipes and jobs name and nobody has computed yet: `publish` makes it. Everything else must be made."""

PATTERNS_TO_COME: frozenset[str] = frozenset()
TABLES_TO_COME: frozenset[str] = frozenset()
TO_COME = PATTERNS_TO_COME | TABLES_TO_COME
