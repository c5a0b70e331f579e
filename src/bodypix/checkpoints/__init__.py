"""Which models exist, where their files are, and how a tfjs graph model becomes ONNX."""
