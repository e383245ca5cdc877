"""The stages of the pipeline, one file a stage: pure functions on top, one PTransform below."""
