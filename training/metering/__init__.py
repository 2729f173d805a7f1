"""What a run takes: electricity measured over time, the grid's carbon by region, and both told before it begins.

Pure, and without the libraries of training: recipes measure with it, pages and workers reckon with it.
"""
