"""The command line. Importing it imports neither TensorFlow nor TFX."""
