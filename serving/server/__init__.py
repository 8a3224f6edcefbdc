"""An embedded model server that keeps TF Serving's contract: flags, REST, gRPC, swaps. Only `savedmodel` imports TensorFlow."""
