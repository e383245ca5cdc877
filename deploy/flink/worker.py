"""One Beam worker, started by the pool: `python -m deploy.flink.worker CONTROL ID`."""

from __future__ import annotations

import argparse
import logging
import sys

from apache_beam.runners.worker.sdk_worker import SdkHarness

from pipelines.worker import prepare_worker

MIB = 1024 * 1024


def main(arguments: list[str] | None = None) -> int:
    """Work for the task manager at `control` until it hangs up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("control")
    parser.add_argument("worker_id")
    parser.add_argument("--state-cache-mb", type=int, default=100)
    options = parser.parse_args(arguments)
    words = f"%(asctime)s %(levelname)s worker {options.worker_id} (%(process)d): %(message)s"
    logging.basicConfig(level=logging.WARNING, format=words)
    prepare_worker()
    SdkHarness(
        options.control,
        worker_id=options.worker_id,
        state_cache_size=options.state_cache_mb * MIB,
    ).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
