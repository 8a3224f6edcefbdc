"""The API in front of the model servers: checks, shares traffic out, guards, counts. Knows no TensorFlow."""
