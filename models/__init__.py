"""Mathematics without Beam: encoders, attention, fusion, calibration and detectors."""
