"""What can be wrong with a Grafana."""


class GrafanaError(RuntimeError):
    """Grafana cannot be used; the message names the remedy."""
