"""The policy pack: rules over Kubernetes manifests, and their registration with Pulumi."""
