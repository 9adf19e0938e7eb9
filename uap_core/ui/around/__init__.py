"""What surrounds the tabs: tour, links, presenter, glossary and the API for programs."""
