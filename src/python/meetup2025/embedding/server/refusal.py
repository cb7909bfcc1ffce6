"""
Errors of HTTP in the form of OpenAI: the answers that waitress gives before the application sees a request.
"""

from __future__ import annotations

from waitress.channel import HTTPChannel
from waitress.task import ErrorTask

from meetup2025.embedding.server.form import RejectedError


class _Refusal(ErrorTask):  # type: ignore[misc]  # waitress publishes no types
    """The answer to a request that is too large or is not HTTP. It ends the connection."""

    def execute(self) -> None:
        """Write the answer."""
        found = self.request.error
        error = self._error(found.code, found.body)
        self.status = f"{found.code} {found.reason}"
        self.response_headers.append(("Content-Type", "application/json"))
        self.content_length = len(error.body)
        self.set_close_on_finish()
        self.write(error.body)

    def _error(self, status: int, got: str) -> RejectedError:
        limits = self.channel.adj
        if status == 413:
            most = f"{(limits.max_request_body_size - 1) / 1e6:.1f} MB"
            return RejectedError(413, f"The body must have at most {most}. Got more; send parts.", "body_too_large")
        if status == 431:
            most = f"{limits.max_request_header_size} bytes"
            return RejectedError(431, f"The head of a request must have at most {most}. Got more.", "head_too_large")
        return RejectedError(status, f"The request must be HTTP. Got: {got}.", "invalid_http")


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection of a client."""

    error_task_class = _Refusal

    @property
    def is_busy(self) -> bool:
        """Whether a request is being received or answered."""
        return bool(self.request is not None or self.requests or self.total_outbufs_len)
