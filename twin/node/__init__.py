"""What the single Kubernetes node is made of."""
