"""Counts pods, jobs and Deployments of one namespace, in kube-state-metrics' words."""
