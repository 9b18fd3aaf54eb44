"""Stand-ins for what lives outside a cluster and cannot be had here; they keep what they were asked."""
