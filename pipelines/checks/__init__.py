"""What a run needs of its surroundings, checked before it starts."""
