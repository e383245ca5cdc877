"""Every picture of the demo, drawn from a seed; a few families also crop free photographs."""
