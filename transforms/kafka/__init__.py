"""Kafka in and out of Beam without Java: a splittable reader and a keyed, idempotent writer."""
