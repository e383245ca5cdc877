"""Whether something listens on a port of this machine: `python -m deploy.image.listens 50001`."""

import socket
import sys


def main() -> int:
    """Exit code 0 where it does; what containers ask for their health."""
    with socket.socket() as probe:
        probe.settimeout(3)
        return 1 if probe.connect_ex(("127.0.0.1", int(sys.argv[1]))) else 0


if __name__ == "__main__":
    sys.exit(main())
