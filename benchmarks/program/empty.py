"""A program without a resource: what the SDK alone costs, below which no Python program comes."""
