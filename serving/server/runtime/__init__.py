"""TensorFlow as the model server sees it: its C library, without its Python package. Nothing else in serving touches TensorFlow."""
