"""An empty route, which the routes of the service are compared with."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/empty")
async def empty() -> dict[str, str]:
    """Answer nothing."""
    return {}
