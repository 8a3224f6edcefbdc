"""TF Serving's API as values: URLs, JSON, tensors, states. Imports no TensorFlow; only tensors and examples need protobuf."""
