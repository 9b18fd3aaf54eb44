"""The stack's secrets: read from the guide's file format, judged, and set through Pulumi."""
