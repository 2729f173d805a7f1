"""Dates where Django's own pattern for a language does not suit our pages; settings name this package."""
