"""The demo that ships: one invented day of four invented brands, and how it is made."""
