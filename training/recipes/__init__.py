"""PURE: one readable file per training method, and what they share."""
