"""`python -m training.certify`: was this adapter made from this release? `training.recipes.certify` does the work."""
