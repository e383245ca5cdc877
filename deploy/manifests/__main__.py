"""Tools for the manifests: `python -m deploy.manifests build deploy/kubernetes/overlays/small`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from deploy.manifests.tools import build, fetch_tools
from deploy.manifests.topics import write_topics
from deploy.processes import ProcessError


def main(arguments: list[str] | None = None) -> int:
    """Fetch the tools, build an overlay, or write the topics again."""
    parser = argparse.ArgumentParser(prog="python -m deploy.manifests", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("fetch", help="what the checks need, into .tools/manifests")
    actions.add_parser(
        "topics", help="write the KafkaTopic resources from deploy/kafka/topics.yaml"
    )
    building = actions.add_parser("build", help="print an overlay's manifests")
    building.add_argument("overlay", type=Path)
    options = parser.parse_args(arguments)
    try:
        print(act(options))
    except ProcessError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def act(options: argparse.Namespace) -> str:
    """Do what was asked for; what to print."""
    if options.action == "topics":
        return f"wrote {write_topics()}"
    tools = fetch_tools()
    if options.action == "build":
        return build(options.overlay, tools.kustomize)
    return "\n".join(f"{name}: {place}" for name, place in tools._asdict().items())


if __name__ == "__main__":
    sys.exit(main())
