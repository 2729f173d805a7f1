"""What models find hard: readings of tasks and answers by an adapter, or by two that are compared."""
