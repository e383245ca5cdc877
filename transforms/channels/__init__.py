"""Channel adapters: what a channel delivers, as a `SourcePost`; one file a channel."""
