"""What runs the networks of a checkpoint: torch, or ONNX Runtime."""
