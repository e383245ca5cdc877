"""`moodwire export`: makes a checkpoint ready for quick serving without torch."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from models.checkpoint import CheckpointError
from pipelines.file_commands import add_command
from schemas.records import Post


def add_export(commands: argparse._SubParsersAction) -> None:
    """`moodwire export`."""
    parser = add_command(
        commands,
        "export",
        "write the ONNX graphs of a checkpoint, for serving without torch",
        "  moodwire export --checkpoint out/checkpoint\n"
        "  moodwire export --checkpoint out/checkpoint --calibrate posts.jsonl\n"
        "  moodwire export --checkpoint out/checkpoint --output serving --precision int8\n\n"
        "The graphs hold no weights: they point into the checkpoint's weights.safetensors, so\n"
        "export again whenever the weights change. Every command then serves the folder with\n"
        "ONNX Runtime, in 8 bits where the processor multiplies bytes; see docs/models.md.",
    )
    parser.add_argument(
        "--checkpoint", metavar="DIR", required=True, help="the folder that `train` wrote"
    )
    parser.add_argument(
        "--output", metavar="DIR", help="another folder, made whole (default: the checkpoint's own)"
    )
    parser.add_argument(
        "--calibrate",
        metavar="FILE",
        help="posts with pictures like those that will be read, JSON lines as for `score`; the "
        "first 128 pictures make the image encoder run in 8 bits (default: it stays whole)",
    )
    parser.add_argument(
        "--precision",
        choices=("fp32", "int8"),
        help="whole weights alone, or 8 bits too (default: int8, which serves either)",
    )


def export(args: argparse.Namespace, console: Console) -> None:
    """Export, and say what was written."""
    from rich.progress import Progress

    from models.engines.export import CALIBRATING, export_checkpoint, graph_names
    from models.engines.onnx_engine import PRECISIONS

    precisions = (args.precision,) if args.precision else PRECISIONS
    source = Path(args.checkpoint)
    output = Path(args.output or source)
    images = pictures(args.calibrate, CALIBRATING) if args.calibrate else []
    names = graph_names(precisions, bool(images))
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("loading", total=len(names) + 1)

        def on_graph(name: str) -> None:
            progress.update(task, description=f"writing {name}", advance=1)

        export_checkpoint(source, output, precisions, on_graph, images)
    files = [file for file in output.iterdir() if file.is_file()]
    total = sum(file.stat().st_size for file in files)
    console.print(
        f"{len(names)} graphs in {output}, checked against torch; "
        f"{total / 1e6:.1f} MB with the weights",
        highlight=False,
        soft_wrap=True,
    )


def pictures(file: str, most: int) -> list[bytes]:
    """Renditions of the first pictures of a file of posts, none twice.

    Raises:
        CheckpointError: it has none.
    """
    from pipelines.score import prepare_lines

    found: dict[bytes, None] = {}
    for post in prepare_lines((file,)):
        if isinstance(post, Post):
            found |= dict.fromkeys(media.rendition for media in post.media)
        if len(found) >= most:
            break
    if not found:
        raise CheckpointError(f"--calibrate {file}: no post has a picture that can be read")
    return list(found)[:most]
