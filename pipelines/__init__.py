"""What runs, in which order: the pipeline, its settings and the command line."""
