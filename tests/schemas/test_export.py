"""The JSON Schema files say what the records are."""

import json
from datetime import UTC, datetime

import jsonschema
import pytest

from schemas.export import FOLDER, rendered_schemas
from schemas.records import Position, Rejection, Slice, encode, json_schemas


def test_checked_in_files_are_current() -> None:
    checked_in = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.iterdir()}

    assert checked_in == rendered_schemas(), "run `make schemas` and commit what it writes"


@pytest.mark.parametrize("name", sorted(json_schemas()))
def test_every_schema_is_valid_json_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json_schemas()[name])


def test_an_encoded_record_fits_its_schema() -> None:
    rejection = Rejection(
        original=b"{",
        position=Position("posts", 0, 7),
        stage="decode",
        cause="not_json",
        detail="Input data was truncated",
    )

    jsonschema.validate(json.loads(encode(rejection)), json_schemas()["Rejection"])


def test_a_record_with_a_wrong_field_does_not_fit() -> None:
    wrong = {
        "original": "e30=",
        "stage": "decode",
        "at": datetime(2026, 11, 24, tzinfo=UTC).isoformat(),
    }

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, json_schemas()["Rejection"])


def test_a_slice_reads_as_a_path() -> None:
    assert str(Slice(channel="x")) == "x/*/*"
