"""Mathematics of Moodwire without Beam: encoders, attention, fusion, calibration, scoring."""
