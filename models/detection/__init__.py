"""Statistics, sketches and online detectors: what is unusual for a brand, without Beam."""
