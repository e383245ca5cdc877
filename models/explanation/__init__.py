"""Why the model read a post as it did: weights, words and regions, and whether they matter."""
