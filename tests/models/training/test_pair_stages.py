from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.image_encoder import ImageEncoder
from models.mood_model import MoodModel, MoodModelConfig
from models.training.align_stage import AlignStage, joint_vectors, recalls_at, train_align
from models.training.data import TrainingDataError
from models.training.features import FeatureStore
from models.training.fusion_stage import teach, train_fusion
from models.training.image_top import ImageTop
from models.training.loop import Run
from models.training.machine import Machine
from models.training.pair_model import PairModel
from models.training.pairs import Pairs, Parts, RawPair, encode_pairs, labelled_pairs
from models.training.settings import (
    AlignStageSettings,
    FusionStageSettings,
    TrainingSettingsError,
)
from tests.models.tiny_model import a_checkpoint
from tests.models.training.small_data import small_data

CPU = Machine(torch.device("cpu"), torch.float32)


def an_image_encoder() -> ImageEncoder:
    torch.manual_seed(0)
    return ImageEncoder.from_name("test_efficientnet", pretrained=False).eval()


def some_pairs(count: int = 30, shared: int = 0) -> Pairs:
    """Pairs whose text and image hold the same random direction, and its class."""
    torch.manual_seed(1)
    meaning = torch.randn(count, 6)
    ids = torch.arange(count)
    ids[:shared] = 0
    tokens = [torch.cat([one, one]).repeat(3, 1).half() for one in meaning]
    images = torch.cat([meaning, -meaning], dim=1)[:, None, :].repeat(1, 4, 1).half()
    return Pairs(tokens, images, ids, meaning[:, :3].argmax(dim=1), torch.arange(count))


def a_pair_model(seed: int = 0, *, pair_path: bool = True) -> PairModel:
    torch.manual_seed(seed)
    config = MoodModelConfig(12, 12, joint_width=16, heads=2, dropout=0.0, pair_path=pair_path)
    return PairModel(MoodModel(config), ImageTop(an_image_encoder(), None))


def a_run(folder: Path) -> Run:
    return Run(CPU, folder, seed=5)


def test_aligned_texts_find_their_images(tmp_path: Path) -> None:
    model, pairs = a_pair_model(), some_pairs()
    before = recalls_at(_similarity(model, pairs), pairs.image_ids)
    settings = AlignStageSettings(rounds=15, batch_size=15, learning_rate=5e-3, averaging=0.0)

    train_align(model, settings, Parts(pairs, pairs), a_run(tmp_path))

    after = recalls_at(_similarity(model, pairs), pairs.image_ids)
    assert before["text_to_image_1"] < 0.3
    assert after["text_to_image_1"] > 0.9
    assert after["own_image_nearer"] > 0.99


def _similarity(model: PairModel, pairs: Pairs) -> torch.Tensor:
    with torch.inference_mode():
        text, image = joint_vectors(model.eval(), pairs, CPU.device)
    return text @ image.T


def test_recall_counts_any_post_with_the_image_as_right() -> None:
    similarity = torch.tensor([[0.1, 0.9, 0.0], [0.8, 0.2, 0.0], [0.0, 0.0, 0.5]])

    apart = recalls_at(similarity, torch.tensor([0, 1, 2]))
    shared = recalls_at(similarity, torch.tensor([0, 0, 2]))

    assert apart["text_to_image_1"] == pytest.approx(1 / 3)
    assert shared["text_to_image_1"] == shared["image_to_text_1"] == 1.0


def test_of_a_much_shared_image_a_pass_sees_some_posts_only(tmp_path: Path) -> None:
    pairs = some_pairs(30, shared=12)
    settings = AlignStageSettings(batch_size=7, posts_per_image=4)
    stage = AlignStage(a_pair_model(), settings, Parts(pairs, pairs), a_run(tmp_path))

    first, second = ([row for rows in stage.batches(i) for row in rows] for i in (0, 1))

    assert sorted(set(first) - set(range(12))) == list(range(12, 30))
    assert len(set(first) & set(range(12))) == len(set(second) & set(range(12))) == 4
    assert set(first) != set(second)
    assert stage.steps[0] == len(stage.batches(0))


def test_hard_negatives_never_show_the_same_image() -> None:
    pairs, model = some_pairs(6, shared=6), a_pair_model()
    batch = pairs.batch(range(6))

    assert model.matching_loss(batch, model.patches(batch)).item() == 0.0  # there is no other


def test_matching_is_learnt_against_hard_negatives() -> None:
    model, batch = a_pair_model(), some_pairs().batch(range(30))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(80):
        losses.append(model.matching_loss(batch, model.patches(batch)))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()

    # Two of three pairs do not belong together: knowing that alone costs 0.6365.
    assert torch.stack(losses[-5:]).mean().item() < 0.45
    assert losses[0].item() > 0.6


@pytest.mark.parametrize("pair_path", [False, True])
def test_stages_on_pairs_leave_text_only_readings_as_they_were(
    tmp_path: Path, pair_path: bool
) -> None:
    model, pairs = a_pair_model(pair_path=pair_path), some_pairs()
    batch = pairs.batch(range(5))
    before = model.eval().read_text(batch).logits
    parts, rate = Parts(pairs, pairs), 1e-2

    train_align(model, AlignStageSettings(rounds=1, learning_rate=rate), parts, a_run(tmp_path))
    train_fusion(model, FusionStageSettings(rounds=2, learning_rate=rate), parts, a_run(tmp_path))

    after = model.eval().read_text(batch).logits
    assert all(torch.equal(before[head], after[head]) for head in before)


def test_fusion_learns_the_labels_of_pairs(tmp_path: Path) -> None:
    model, pairs = a_pair_model(), some_pairs()
    settings = FusionStageSettings(
        rounds=20, batch_size=10, learning_rate=5e-3, averaging=0.0, soup=2, keep_weight=0.0
    )

    train_fusion(model, settings, Parts(pairs, pairs), a_run(tmp_path))

    batch = pairs.batch(range(30))
    predicted = model.eval().read(batch, model.patches(batch)).logits["sentiment"].argmax(dim=1)
    assert (predicted == pairs.labels).float().mean() > 0.9
    assert {file.name for file in tmp_path.glob("*.pt")} == {"fusion.pt", "fusion-1.pt"}


def test_a_teacher_never_saw_the_labels_that_it_softens(tmp_path: Path) -> None:
    pairs = some_pairs(20)
    wrong = replace(pairs, labels=pairs.labels.clone())
    wrong.labels[3] = (wrong.labels[3] + 1) % 3
    settings = FusionStageSettings(rounds=1, teachers=4, teacher_share=1.0, soup=1)

    right, misled = (
        teach(a_pair_model(), settings, Parts(one, some_pairs()), a_run(tmp_path / name))
        for name, one in (("right", pairs), ("misled", wrong))
    )

    assert torch.equal(right[3], misled[3])
    assert not torch.equal(right, misled)
    assert right.sum(dim=1).tolist() == pytest.approx([1.0] * 20)


def test_the_top_says_what_the_whole_image_encoder_says() -> None:
    encoder = an_image_encoder()
    pixels = torch.randint(0, 255, (3, 224, 224, 3), dtype=torch.uint8)
    top = ImageTop(encoder, "blocks.3")

    from_stored = top(top.store(pixels))

    with torch.inference_mode():
        assert torch.allclose(from_stored, encoder(pixels), atol=2e-2)
        assert torch.equal(ImageTop(encoder, None)(encoder(pixels).half()), encoder(pixels).half())


def test_only_what_lies_behind_the_cut_is_trained() -> None:
    encoder = an_image_encoder()
    ImageTop(encoder, "blocks.3")

    trained = {name for name, one in encoder.named_parameters() if one.requires_grad}

    below = ("conv_stem", "bn1", "blocks.0", "blocks.1", "blocks.2")
    assert not any(name.removeprefix("backbone.").startswith(below) for name in trained)
    assert {"backbone.conv_head.weight", "backbone.bn2.bias"} <= trained
    assert any(name.startswith("backbone.blocks.3") for name in trained)


def test_a_cut_that_is_not_there_is_explained() -> None:
    with pytest.raises(TrainingSettingsError, match=r"train_image_from: .*no 'layer9'; it has "):
        ImageTop(an_image_encoder(), "layer9")


def test_features_are_computed_once_for_the_same_weights_and_images(tmp_path: Path) -> None:
    data = small_data(tmp_path / "data", pairs=6)
    checkpoint, store = a_checkpoint(), FeatureStore(tmp_path / "features")
    text = (checkpoint.tokenizer, checkpoint.text_encoder)
    raw = labelled_pairs(data, "train")

    def files() -> int:
        encode_pairs(raw, text, ImageTop(checkpoint.image_encoder, None), store)
        return len(list((tmp_path / "features").glob("*.pt")))

    first, again = files(), files()
    next(checkpoint.image_encoder.parameters()).data += 1.0

    assert (first, again, files()) == (2, 2, 3)


def test_the_same_picture_under_two_names_is_one(tmp_path: Path) -> None:
    data = small_data(tmp_path / "data", pairs=3)
    checkpoint = a_checkpoint()
    first, *rest = labelled_pairs(data, "train")
    copy = first.image.with_name("copy.png")
    copy.write_bytes(first.image.read_bytes())

    pairs = encode_pairs(
        [first, *rest, RawPair("another text", copy)],
        (checkpoint.tokenizer, checkpoint.text_encoder),
        ImageTop(checkpoint.image_encoder, None),
        FeatureStore(tmp_path / "features"),
    )

    assert pairs.image_ids.tolist() == [0, 1, 2, 0]
    assert pairs.groups.tolist() == [0, 1, 2, 0]


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    data = small_data(tmp_path / "data", pairs=3)
    checkpoint, raw = a_checkpoint(), labelled_pairs(data, "train")
    raw[1].image.unlink()

    with pytest.raises(TrainingDataError, match=r"train-1\.png: No such file"):
        encode_pairs(
            raw,
            (checkpoint.tokenizer, checkpoint.text_encoder),
            ImageTop(checkpoint.image_encoder, None),
            FeatureStore(tmp_path / "features"),
        )
