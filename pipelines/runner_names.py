"""The names of the runners, apart from Beam so that `--help` answers at once."""

EMBEDDED = ("auto", "prism", "in-memory")  # they live and die with the command
CHOICES = (*EMBEDDED, "flink")
