"""
The WSGI application for InterSystems IRIS. It runs in the process that answers, with the rights of the user.

IRIS puts this folder at the end of the path of Python, and imports this module by its name (documentation: Creating
WSGI Applications). So the imports are absolute, and the name is unique. The web server checks the names of its hosts.
"""

from __future__ import annotations

from meetup2025.web import Application

application = Application("iris+emb:///", at_once=True)
