"""Turn a checkpoint into a bundle: ONNX, int8 TFLite, golden vectors and a manifest."""
