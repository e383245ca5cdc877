"""`moodwire backtest`: what the count detector would have said about a series of the past."""
