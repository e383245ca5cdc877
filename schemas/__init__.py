"""Records, metric names and validation suites: data that every other package rests on."""
