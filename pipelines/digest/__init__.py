"""A day of each brand in one message: facts of its trends and alerts, charts, words."""
