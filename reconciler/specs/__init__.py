"""The project file and the specs: YAML to typed desired state, with every problem in one pass.

`load_project` reads `reconciler.yaml`, the only file in which the environment is looked at;
`load_specs` reads what the project's patterns find. Neither touches the network or the state store.
"""

from __future__ import annotations

from reconciler.specs.loading import Loaded, load_specs
from reconciler.specs.project_file import PROJECT_FILE, load_project

__all__ = ["PROJECT_FILE", "Loaded", "load_project", "load_specs"]
