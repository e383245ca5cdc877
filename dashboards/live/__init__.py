"""The live page: what a run has found so far, in a browser, while it runs."""
