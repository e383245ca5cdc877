"""Training and evaluation of the mood model; never shipped to workers."""
