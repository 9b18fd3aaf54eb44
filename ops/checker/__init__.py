"""Answers the guide's health addresses of database, Redis and OpenAI where the application lacks them."""
