"""Mathematics of Moodwire without Beam: encoders, attention, fusion, calibration, scoring."""

import os

# ONNX Runtime writes down which models this machine runs and sends that to its maker, unless it is
# told not to before it is loaded. Nothing of ours leaves a machine unasked.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
