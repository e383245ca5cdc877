"""What an explanation of a post says."""

import msgspec

Grid = tuple[tuple[float, ...], ...]


class Word(msgspec.Struct, frozen=True):
    """One word of the prepared text.

    Attributes:
        start: where it stands in the text, [start, end).
        end: see `start`.
        attention: its share of the attentive pooling of the text. All words and `special` sum to 1.
        from_image: its share of what the picture's regions attend to; None without a picture.
        contribution: integrated gradients, in log-odds of the sentiment that was read; positive:
            for it, negative: against it.
        regions: where in the picture the word looks, rows of shares; None without a picture.
    """

    start: int
    end: int
    attention: float
    from_image: float | None
    contribution: float
    regions: Grid | None


class Shown(msgspec.Struct, frozen=True):
    """A thing that the image encoder takes a picture for, `models.explanation.annotator`.

    Attributes:
        word: its name.
        probability: among all that the encoder has a word for.
        regions: where, as shares, rows from the north; None if the patches form no grid.
    """

    word: str
    probability: float
    regions: Grid | None


class Completeness(msgspec.Struct, frozen=True):
    """Whether the contributions add up: `gap` is what is missing from `difference`, in log-odds.

    `difference` is F(text) - F(text with every word blank); `steps` are those of the path.
    """

    difference: float
    gap: float
    steps: int


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why a post was read as it was, by the 32-bit model in torch.

    Attributes:
        model: version of the checkpoint.
        text: the prepared text, in which words stand.
        sentiment: what was read, with its calibrated probability.
        probability: see `sentiment`.
        alpha_text: fusion weights, equations (1) and (2).
        alpha_image: see `alpha_text`.
        cosine: of text and picture in the joint space; None unless both are there.
        mismatch: (1 - cosine) / 2; a high one next to a sure reading hints at irony.
        words: in order.
        special: share of the text's pooling that went to tokens that are no words.
        regions: share of each region in the picture's pooling, rows from the north; None without
            a picture, or if its patches form no grid.
        regions_seen_by_text: where the words look, weighted by their own share; the same shape.
        completeness: of the contributions; None without text.
        shows: what the encoder takes each picture for, the surest first; empty without annotator.
    """

    model: str
    text: str
    sentiment: str
    probability: float
    alpha_text: float
    alpha_image: float
    cosine: float | None
    mismatch: float | None
    words: tuple[Word, ...]
    special: float
    regions: Grid | None
    regions_seen_by_text: Grid | None
    completeness: Completeness | None
    shows: tuple[tuple[Shown, ...], ...] = ()

    def top_words(self, count: int = 5) -> list[Word]:
        """The words that moved the reading most, either way."""
        return sorted(self.words, key=lambda word: -abs(word.contribution))[:count]
