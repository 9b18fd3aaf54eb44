"""Stand-ins for the official Pulumi plugins and Python language host, where those cannot be downloaded."""
