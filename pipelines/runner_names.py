"""The names of the runners, apart from Beam so that `--help` answers at once."""

CHOICES = ("auto", "prism", "in-memory", "flink")
