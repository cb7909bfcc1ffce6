"""
What a web application of InterSystems IRIS names: it runs in the process that answers, with the rights of the user.

IRIS puts this folder at the end of the path of Python, and imports this module by its name (documentation: Creating
WSGI Applications). So nothing here is relative, and the name is nobody else's. The server in front knows its names.
"""

from __future__ import annotations

from meetup2025.web import Application

application = Application("iris+emb:///")
