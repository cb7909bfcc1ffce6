"""
Give the metadata of a build the addresses of its repository, where the builder knows them.

The addresses stand in no file. `MEETUP2025_REPOSITORY=https://host/owner/name python -m build` puts them into the
wheel, and the release workflow sets the variable. Without it the wheel has no addresses.
"""

from __future__ import annotations

import os
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class Addresses(MetadataHookInterface):
    """The hook that the build calls."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the addresses to the metadata of the project."""
        address = os.environ.get("MEETUP2025_REPOSITORY", "").rstrip("/")
        metadata["urls"] = (
            {
                "Source": address,
                "Documentation": f"{address}/tree/main/docs",
                "Changelog": f"{address}/blob/main/CHANGELOG.md",
                "Issues": f"{address}/issues",
            }
            if address
            else {}
        )
