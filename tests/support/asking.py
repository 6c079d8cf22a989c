"""Requests as a stranger sends them: raw HTTP to a real server, without a well-behaved client."""

import json
import secrets
from pathlib import Path

import httpx

META = {"_type": "gradio.FileData"}


class Stranger:
    """Sends requests to one server.

    Attributes:
        http: the client for any other request.
    """

    def __init__(self, url: str, **headers: str) -> None:
        headers = {"Content-Type": "application/json"} | headers
        # Loading the certificates of authorities, which no server here has, takes 50 ms.
        self.http = httpx.Client(
            base_url=url.rstrip("/"), headers=headers, timeout=60, verify=False
        )

    def bag(self, *files: tuple[str, bytes]) -> str:
        """Uploads files as the Batch tab does, each in one part; returns the id of their bag."""
        bag = secrets.token_hex(16)
        for key, (name, content) in enumerate(files):
            about = {"name": name, "at": 0, "size": len(content)}
            answer = self.http.put(f"/parts/{bag}/{key:016}", params=about, content=content)
            assert answer.json().get("path"), answer.text
        return bag

    def call(self, name: str, data: object) -> tuple[bool, object]:
        """Call a named endpoint through the queue: whether it succeeded, and its answer."""
        answer = self.http.post(f"/gradio_api/call/{name}", content=json.dumps({"data": data}))
        if answer.status_code != 200:
            return False, answer.json()["detail"]
        told = self.http.get(f"/gradio_api/call/{name}/{answer.json()['event_id']}").text
        event, content = (line.partition(": ")[2] for line in told.strip().splitlines()[:2])
        found = json.loads(content)
        return event == "complete", found[0] if event == "complete" else found["error"]

    def run(self, name: str, data: object) -> tuple[bool, object]:
        """The same by a direct call."""
        answer = self.http.post(f"/gradio_api/run/{name}", content=json.dumps({"data": data}))
        found = answer.json()
        return answer.is_success, found["data"][0] if answer.is_success else found["error"]

    def by_name(self, name: str, **values: object) -> tuple[bool, object]:
        """The same with values by parameter name."""
        answer = self.http.post(f"/gradio_api/call/v2/{name}", content=json.dumps(values))
        if answer.status_code != 200:
            return False, answer.json()["detail"]
        told = self.http.get(f"/gradio_api/call/{name}/{answer.json()['event_id']}").text
        event, content = (line.partition(": ")[2] for line in told.strip().splitlines()[:2])
        found = json.loads(content)
        return event == "complete", found[0] if event == "complete" else found["error"]

    def event(
        self, number: int, data: list, said: object = None, session: str = ""
    ) -> tuple[bool, object]:
        """Any event of the page by its number, including private ones; its last answer."""
        session = session or secrets.token_hex(5)
        body = {"data": data, "fn_index": number, "session_hash": session, "event_data": said}
        answer = self.http.post("/gradio_api/queue/join", content=json.dumps(body))
        if answer.status_code != 200:
            return False, answer.json()["detail"]
        where = {"session_hash": session}
        with self.http.stream("GET", "/gradio_api/queue/data", params=where) as stream:
            for line in stream.iter_lines():
                told = json.loads(line.removeprefix("data: ")) if line else {}
                if told.get("msg") == "process_completed":
                    output = told["output"]
                    return told["success"], output.get("data", output.get("error"))
        raise AssertionError("no answer")

    def events(self) -> list[dict]:
        """All events of the page, with the kind of each input."""
        config = self.http.get("/config").json()
        kinds = {part["id"]: part["type"] for part in config["components"]}
        return [
            {"number": event["id"], "kinds": [kinds[part] for part in event["inputs"]]}
            for event in config["dependencies"]
            if event["backend_fn"]
        ]

    def upload(self, name: str, content: bytes) -> str:
        """Upload a file; returns its path on the server."""
        where = f"{str(self.http.base_url).rstrip('/')}/gradio_api/upload"
        return httpx.post(where, files={"files": (name, content)}, verify=False).json()[0]


def file_data(path: Path | str) -> dict:
    """A file as Gradio's page names it."""
    return {"path": str(path), "meta": META}
