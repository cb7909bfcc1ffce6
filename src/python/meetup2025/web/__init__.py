"""
The web application: name a picture, look at maps, compare runs. It speaks SQL to a database and knows nothing else.

    WSGI (application) -> what a request may ask (request) -> a page (pages) or rows (answers) -> SQL (statements)

`meetup2025 web` serves it (`server`); inside InterSystems IRIS `meetup2025_wsgi` is what a web application names.
"""

from __future__ import annotations

from meetup2025.web.application import Application

__all__ = ["Application"]
