"""Alerts on their way to people: chosen, signed, sent, and sent again until they are taken."""
