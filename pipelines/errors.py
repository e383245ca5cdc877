"""What a command may end with; apart, so that it does not bring what runs a pipeline."""


class RunFailedError(RuntimeError):
    """The runner gave up; the message holds its reason."""
