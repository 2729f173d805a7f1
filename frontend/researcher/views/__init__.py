"""Pages of the researcher's desk: home, releases, runs."""
