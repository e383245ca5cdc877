"""How Beam ships this code to its workers: `--setup_file ./setup.py`.

Beam runs this file to build the archive that a remote worker installs before its first bundle (the
`./` is needed: Beam takes the folder of this path as the project). Everything else, names, versions
and dependencies, is in pyproject.toml; `models.training` and `models.evaluation` are left out
there, workers only read.
"""

from setuptools import setup

setup()
