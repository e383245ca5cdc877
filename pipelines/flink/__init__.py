"""Apache Flink as the engine: on this machine with state on disk, or a cluster of its own."""
