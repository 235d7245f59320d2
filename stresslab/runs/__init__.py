"""One run from its settings to its folder, and back."""
