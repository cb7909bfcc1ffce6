"""
The web application: name a picture, look at maps, compare runs. It asks a database by SQL, and uses nothing else.

    WSGI (application) -> checks of a request (request) -> a page (files) or rows (answers) -> SQL (statements)

`meetup2025 web` serves it (`server`). In InterSystems IRIS, `meetup2025_wsgi` is the WSGI application of a web
application.
"""

from __future__ import annotations

from meetup2025.web.application import Application

__all__ = ["Application"]
