"""Serve llmock, on the address given: `python mock_api.py PORT`, in an environment that has it.

llmock 0.2 reads the schema of a reply under `output_format`, its name while it was in beta. Here
it also finds it where the API and the SDK have it now, under `output_config`.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import uvicorn
from llmock.main import app


class Renamed:
    """Put the schema of a request where llmock looks for it."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].endswith("/v1/messages"):
            await self._app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            part = await receive()
            body += part.get("body", b"")
            more = part.get("more_body", False)
        asked = json.loads(body)
        if schema := asked.get("output_config", {}).get("format"):
            asked["output_format"] = schema
        parts = [{"type": "http.request", "body": json.dumps(asked).encode(), "more_body": False}]

        async def again() -> Any:
            return parts.pop() if parts else await receive()

        own = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
        await self._app({**scope, "headers": own}, again, send)


if __name__ == "__main__":
    uvicorn.run(Renamed(app), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
