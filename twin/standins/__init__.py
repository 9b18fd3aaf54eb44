"""Stand-ins for what lives outside a cluster: OpenAI and Supabase auth. They keep what they were asked."""
