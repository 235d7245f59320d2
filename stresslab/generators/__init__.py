"""Generators: whatever makes universes. Importing this package imports none of them."""
