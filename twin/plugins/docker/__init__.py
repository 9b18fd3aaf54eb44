"""The stand-in for the plugin `docker`: builds and pushes images, on the twin's own daemon only."""
