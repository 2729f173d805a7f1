"""The demo: a visibly made-up community in which the main job runs for real, through the same services as the pages."""
