"""What production runs, written down: files for TF Serving, for Docker Compose and for Kubernetes, from our configuration."""
