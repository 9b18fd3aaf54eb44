"""The stand-in for the plugin `postgresql`: extensions and roles, on a server with the twin's mark only."""
