"""What the recipes and jobs name and nobody has computed yet: `publish` makes it. Everything else must be made."""

PATTERNS_TO_COME = frozenset[str]()
TABLES_TO_COME = frozenset[str]()
TO_COME = PATTERNS_TO_COME | TABLES_TO_COME
