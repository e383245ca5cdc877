"""Writes the demo's day of posts: `python -m pipelines.demo.generate --out pipelines/demo/data`."""
