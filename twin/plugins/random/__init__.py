"""The stand-in for the plugin `random`: passwords that are made once and kept in the state."""
