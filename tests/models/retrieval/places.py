"""Posts with places in a joint space, made on the spot."""

import numpy as np

from models.retrieval.index import Entry, SlidingIndex, Vector

WIDTH = 64


def an_entry(post_id: str = "1", created_at: float = 0.0, **others: str) -> Entry:
    """A post of the channel `x`."""
    values = {"channel": "x", "author": f"author of {post_id}", "text": f"text {post_id}"} | others
    return Entry(post_id=post_id, created_at=created_at, **values)


def unit(vector: Vector) -> Vector:
    """The vector at length 1."""
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def vectors(count: int, seed: int = 0) -> list[Vector]:
    """Random unit vectors."""
    rng = np.random.default_rng(seed)
    return [unit(row) for row in rng.normal(size=(count, WIDTH)).astype(np.float32)]


def near(vector: Vector, noise: float, seed: int) -> Vector:
    """A unit vector whose cosine to another is about 1 / sqrt(1 + noise^2)."""
    rng = np.random.default_rng(seed)
    away = unit(rng.normal(size=WIDTH).astype(np.float32))
    return unit(vector + noise * away)


def a_filled_index(count: int = 200, **settings: float) -> tuple[SlidingIndex, list[Vector]]:
    """Posts 0 to count - 1, a second apart, with texts; every third has an image too."""
    texts, images = vectors(count), vectors(count, seed=1)
    index = SlidingIndex(WIDTH, **settings)  # type: ignore[arg-type]
    for number, (text, image) in enumerate(zip(texts, images, strict=True)):
        index.add(an_entry(str(number), float(number)), text, None if number % 3 else image)
    return index, texts
