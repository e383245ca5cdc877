"""Honest figures of a checkpoint: intervals, paired tests, calibration, robustness, fairness."""
