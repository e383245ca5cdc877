"""What can be wrong with a search."""


class SearchError(ValueError):
    """A search cannot be answered: index, post or image; the message names the remedy."""
