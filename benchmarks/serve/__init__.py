"""Requests a second: sluiceway-server beside LitServe, BentoML, MLServer, Ray Serve and MLflow, on the same SavedModels."""
