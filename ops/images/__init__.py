"""The application's images: from what an `up` built to digests in the stack file."""
