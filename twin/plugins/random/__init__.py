"""The stand-in for the plugin `random`: passwords, bytes and ids that are made once and kept in the state."""
