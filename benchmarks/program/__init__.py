"""What the program's own process costs, between the engine's call and its end."""
