import os
import subprocess
import sys
from pathlib import Path

READ_ONE = """
from models.checkpoint import DEFAULT_CHECKPOINT
from models.retrieval import index
from models.scorer import ScoreInput, Scorer
Scorer.load(DEFAULT_CHECKPOINT).score([ScoreInput("good")])
"""


def test_reading_posts_leaves_no_trace_of_it_for_others(tmp_path: Path) -> None:
    """ONNX Runtime keeps what it will send to its maker in a database below the home folder."""
    unset = {name: value for name, value in os.environ.items() if not name.startswith("ORT_")}

    subprocess.run(
        [sys.executable, "-c", READ_ONE], env={**unset, "HOME": str(tmp_path)}, check=True
    )

    assert list(tmp_path.rglob("*")) == []
