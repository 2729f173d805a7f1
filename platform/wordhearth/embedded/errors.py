"""What can go wrong with an embedded server, in words for the person at the terminal."""


class EmbeddedServiceError(RuntimeError):
    """An embedded server cannot run here; the message says why and what to do."""
