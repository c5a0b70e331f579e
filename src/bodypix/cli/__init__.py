"""The command `bodypix`. One file per command; numpy, OpenCV and onnxruntime are imported inside the commands."""
