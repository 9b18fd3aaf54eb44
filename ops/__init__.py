"""What operators and the cluster run: migration, checks, secrets."""
