import random

import numpy as np
import pytest
import torch

from models.evaluation.intervals import TruthFigure
from models.evaluation.pairs import FIGURES
from models.evaluation.tasks import TEXT_TASKS
from models.labels import EMOTIONS, HEADS
from models.training.data import Example, length_batches, pad, token_count
from models.training.figures import f1_scores, recalls, several_label_f1, weighted_f1
from models.training.losses import (
    balancing_weights,
    contrastive_loss,
    probabilities_of_task,
    task_losses,
    taught_losses,
)
from models.training.pair_model import freeze_text_path
from tests.models.tiny_model import a_checkpoint

TRUTH, PREDICTED = [0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 2, 2]


def some_logits(rows: int) -> dict[str, torch.Tensor]:
    return {name: torch.zeros(rows, size) for name, size in HEADS.items()}


def test_recalls_and_f1_by_hand() -> None:
    # Class 0: found 2 of 3, named 2; class 1: found 1 of 2, named 2; class 2: found 1 of 1, named 2
    assert recalls(TRUTH, PREDICTED, 3).tolist() == pytest.approx([2 / 3, 1 / 2, 1])
    assert f1_scores(TRUTH, PREDICTED, 3).tolist() == pytest.approx([4 / 5, 1 / 2, 2 / 3])
    assert weighted_f1(TRUTH, PREDICTED, 3) == pytest.approx((3 * 4 / 5 + 2 / 2 + 2 / 3) / 6)


@pytest.mark.parametrize(
    "figure", [TEXT_TASKS["sentiment"].figures["macro_recall"], FIGURES["macro_recall"]]
)
def test_a_class_that_does_not_occur_takes_nothing_from_the_macro_recall(
    figure: TruthFigure,
) -> None:
    truth = np.array([0, 2, 2, 2])

    assert figure(truth, truth) == 1.0
    assert figure(truth, np.array([1, 2, 2, 0])) == pytest.approx((0 + 2 / 3) / 2)


def test_f1_of_several_labels_by_hand() -> None:
    truth = np.array([[True, False], [True, True]])
    predicted = np.array([[True, True], [False, True]])

    assert several_label_f1(truth, predicted).tolist() == pytest.approx([2 / 3, 2 / 3])


def test_four_emotions_are_trained_by_a_softmax_over_just_these() -> None:
    logits = some_logits(1)
    logits["emotions"][0, EMOTIONS.index("anger")] = 2.0
    logits["emotions"][0, EMOTIONS.index("admiration")] = 50.0  # not one of the four

    losses = task_losses(logits, [Example("tweet_emotion", "", (0,))], {})

    assert losses["tweet_emotion"].item() == pytest.approx(np.log(np.exp(2) + 3) - 2, abs=1e-5)


def test_every_task_in_a_batch_has_its_loss() -> None:
    batch = [Example("irony", "", (1,)), Example("offence", "", (0,)), Example("irony", "", (0,))]

    losses = task_losses(some_logits(3), batch, {})

    assert {task: loss.item() for task, loss in losses.items()} == pytest.approx(
        {"irony": np.log(2), "offence": np.log(2)}
    )


def test_teachers_are_heard_where_a_text_has_no_label() -> None:
    batch = [Example("irony", "", (1,), row=1), Example("offence", "", (0,), row=0)]
    answers = {"irony": torch.tensor([[0.8], [0.1]])}

    losses = taught_losses(some_logits(2), batch, answers)

    assert losses["irony"].item() == pytest.approx(np.log(2))  # row 0 alone, at its logit of 0


def test_to_say_what_the_teachers_say_is_best() -> None:
    batch = [Example("irony", "", (1,), row=0)]
    own, other = some_logits(1), some_logits(1)
    own["sentiment"][0, 2], own["emotions"][0, EMOTIONS.index("joy")] = 2.0, 3.0
    tasks = ("sentiment", "tweet_emotion", "emotions", "offence")
    answers = {task: probabilities_of_task(task, own) for task in tasks}

    same, differing = (taught_losses(logits, batch, answers) for logits in (own, other))

    assert all(same[task] < differing[task] for task in ("sentiment", "tweet_emotion", "emotions"))
    assert same["offence"] == differing["offence"]


def test_smoothed_labels_never_ask_for_certainty() -> None:
    batch, logits = [Example("irony", "", (1,))], some_logits(1)
    logits["irony"][0] = 3.0

    sure, smoothed = (task_losses(logits, batch, {}, one)["irony"].item() for one in (0.0, 0.1))

    assert sure == pytest.approx(np.log1p(np.exp(-3)))
    assert smoothed == pytest.approx(sure + 0.05 * 3)  # half of 0.1 lies on the other class


def test_full_balance_makes_rare_classes_count_the_same() -> None:
    examples = [Example("irony", "", (label,)) for label in (0, 0, 0, 1)]

    weights = balancing_weights(examples, 2, power=1.0)

    assert (weights[0] * 3).item() == pytest.approx(weights[1].item())
    assert balancing_weights(examples, 2, power=0.0).tolist() == [1.0, 1.0]


def test_matching_pairs_lower_the_contrastive_loss() -> None:
    vectors = torch.eye(4)

    matched = contrastive_loss(vectors, vectors, torch.tensor(3.0))
    swapped = contrastive_loss(vectors, vectors.roll(1, 0), torch.tensor(3.0))

    assert matched < 1e-3 < swapped


def test_posts_that_share_an_image_are_no_counterexamples() -> None:
    text, image = torch.eye(4), torch.eye(4)
    image[1] = image[0]
    text[1] = text[0]
    same = torch.eye(4, dtype=torch.bool)
    same[0, 1] = same[1, 0] = True

    told, untold = (contrastive_loss(text, image, torch.tensor(3.0), one) for one in (same, None))

    assert told < 1e-3
    assert untold > 0.3  # each of the two is half to blame for the other


def test_batches_hold_every_example_once_and_similar_lengths() -> None:
    examples = [Example("irony", str(i), (0,), tuple(range(i % 30 + 1))) for i in range(300)]

    batches = list(length_batches(examples, 10, random.Random(0), token_count))

    assert sorted(example.text for batch in batches for example in batch) == sorted(
        example.text for example in examples
    )
    assert max(len(b[-1].token_ids) - len(b[0].token_ids) for b in batches) <= 2


def test_padding_is_masked() -> None:
    ids, mask = pad([(5, 6), (7,)])

    assert ids.shape == (2, 8)
    assert mask.sum(dim=1).tolist() == [2, 1]


def test_fusion_training_cannot_reach_what_a_text_only_post_goes_through() -> None:
    checkpoint = a_checkpoint()
    mood = checkpoint.mood
    tokens, mask = torch.randn(2, 4, checkpoint.text_encoder.width), torch.ones(2, 4).bool()
    mood.eval()
    before = mood(tokens, mask).logits

    for parameter in freeze_text_path(mood):
        torch.nn.init.normal_(parameter)

    after = mood(tokens, mask).logits
    assert all(torch.equal(before[head], after[head]) for head in HEADS)
