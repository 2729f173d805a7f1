"""PURE: how good a model is, in numbers with a source."""
