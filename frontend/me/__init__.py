"""One's own data: what is kept, what it is used for, taking it home, taking it back."""
