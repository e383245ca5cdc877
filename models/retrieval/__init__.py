"""Posts found by their place in the joint space of text and image."""
