"""From a post to what the model sees of it, and from its scores to a reading; without Beam."""

from models.scorer import ScoreInput, Scores
from schemas.records import Post, Reading, Weights


def score_input(post: Post) -> ScoreInput:
    """What the model sees of a post: its prepared text and its renditions."""
    return ScoreInput(text=post.model_text, images=tuple(m.rendition for m in post.media))


def make_reading(post: Post, scores: Scores) -> Reading:
    """The reading of `post`: what was said, by whom, and how it feels."""
    return Reading(
        channel=post.channel,
        post_id=post.post_id,
        created_at=post.created_at,
        author=post.author,
        text=post.text,
        lang=post.lang,
        country=post.country,
        reach=post.reach,
        is_repost=post.is_repost,
        permalink=post.permalink,
        brands=post.brands,
        cluster_id=post.cluster_id,
        sentiment=scores.sentiment,
        emotions=scores.emotions,
        irony=scores.irony,
        offence=scores.offence,
        valence=scores.valence,
        confidence=scores.confidence,
        abstained=scores.abstained,
        weights=Weights(scores.alpha_text, scores.alpha_image),
        mismatch=scores.mismatch,
        model=scores.model,
        thumbnails=tuple(m.sha256 for m in post.media),
        media_faults=post.media_faults,
    )
