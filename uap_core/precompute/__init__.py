"""How everything that ships is computed: jobs that can be resumed, each result with its provenance."""
