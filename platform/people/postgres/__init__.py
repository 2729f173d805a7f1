"""PostgreSQL as Django's, and told before every statement which communities are in view (docs/decisions/0004)."""
