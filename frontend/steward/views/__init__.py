"""Pages of the stewards' desk, one module for each thing they govern."""
