"""What runs now: one screen, the jobs, the logs. Read through kubectl, judged by pure functions."""
