from pathlib import Path
from typing import Any

import pytest
import yaml

from models.training.settings import TrainingSettingsError, load_settings
from tests.models.training.small_data import small_settings

CONFIGS = Path(__file__).parents[3] / "models/configs"


@pytest.mark.parametrize("file", sorted(CONFIGS.glob("*.yaml")), ids=lambda file: file.stem)
def test_shipped_configurations_are_readable(file: Path) -> None:
    assert load_settings(file).version.startswith("moodwire-")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"joint_width": "wide"}, "joint_width: Expected `int`, got `str`; compare"),
        ({"text": {"epochs": 0}}, r"text\.epochs: Expected `float` > 0"),
        ({"text": {"eporchs": 2}}, "text: Object contains unknown field `eporchs`"),
        ({"fusion_score": "cosine"}, "fusion_score: Invalid enum value 'cosine'"),
        ({"text": {"emphasis": {"ironie": 2}}}, r"text\.emphasis: no task 'ironie'; use sentiment"),
        ({"image_encoder": None}, "image_encoder: align and fusion need one; name a timm model"),
        ({"fusion": {"teachers": 1}}, r"fusion\.teachers: one fold has no others to learn from"),
        ({"joint_heads": 3}, "joint_heads: must divide joint_width"),
        ({"version": ""}, "version: Expected `str` of length >= 1"),
    ],
)
def test_a_wrong_key_is_named_with_a_remedy(
    tmp_path: Path, changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(TrainingSettingsError, match=problem):
        load_settings(small_settings(tmp_path, **changes))


def test_a_missing_file_and_one_that_is_no_yaml_are_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("text: [", encoding="utf-8")

    with pytest.raises(TrainingSettingsError, match=r"nowhere\.yaml: No such file"):
        load_settings(tmp_path / "nowhere.yaml")
    with pytest.raises(TrainingSettingsError, match=r"broken\.yaml: is not YAML"):
        load_settings(broken)
    broken.write_bytes(b"version: \xe9")
    with pytest.raises(TrainingSettingsError, match=r"broken\.yaml: is not YAML"):
        load_settings(broken)


def test_files_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    for name, other in (("one", "other"), ("other", "one")):
        (tmp_path / f"{name}.yaml").write_text(f"extends: {other}.yaml\n", encoding="utf-8")

    with pytest.raises(TrainingSettingsError, match=r"one\.yaml: extends itself"):
        load_settings(tmp_path / "one.yaml")


def test_a_variant_says_only_what_is_different(tmp_path: Path) -> None:
    whole = load_settings(small_settings(tmp_path))
    variant = tmp_path / "variant.yaml"
    variant.write_text(
        yaml.safe_dump({"extends": "train.yaml", "seed": 8, "text": {"epochs": 5}, "align": None}),
        encoding="utf-8",
    )

    changed = load_settings(variant)

    assert (changed.seed, changed.text.epochs, changed.align) == (8, 5, None)
    assert changed.text.batch_size == whole.text.batch_size
    assert changed.fusion == whole.fusion


def test_a_variant_of_a_missing_file_is_refused(tmp_path: Path) -> None:
    variant = tmp_path / "variant.yaml"
    variant.write_text("extends: nowhere.yaml\n", encoding="utf-8")

    with pytest.raises(TrainingSettingsError, match=r"nowhere\.yaml: No such file"):
        load_settings(variant)
