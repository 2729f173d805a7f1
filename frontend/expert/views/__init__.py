"""The expert's desk: the queue of conflicts, one conflict, and what peers have settled."""
