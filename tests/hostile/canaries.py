"""Secrets of every kind, and a service that repeats whatever it knows of them in everything it says."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from collections.abc import Iterator, Mapping

#: What each secret is, and its value; no two have a piece in common.
CANARIES = {
    "DataWorks access key": "canary-dw-sk/7Rk+Q=",
    "DataWorks security token": "canary-dw-sts-Zm9v",
    "DataArts access key": "canary-da-sk-Ta81",
    "DataArts security token": "canary-da-sts-Pw22",
    "DataArts password": "canary-da-pw&<x>",
    "DataArts token of a session": "canary-da-token-MIIE",
    "OBShell password of root": 'canary-ob-root-"q"',
    "OBShell password of the agent": "canary-ob-agent-9",
    "PostgreSQL password": "canary-pg-pw-41",
    "proxy password": "canary-proxy-pw-3",
    "a token of somebody else's": "canary-github-token-55",
    "written into the project file": "canary-literal-77",
}

ENVIRON: Mapping[str, str] = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "dw-id",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": CANARIES["DataWorks access key"],
    "ALIBABA_CLOUD_SECURITY_TOKEN": CANARIES["DataWorks security token"],
    "HW_SK": CANARIES["DataArts access key"],
    "HW_TOKEN": CANARIES["DataArts security token"],
    "HW_PASSWORD": CANARIES["DataArts password"],
    "OB_PASSWORD": CANARIES["OBShell password of root"],
    "OB_AGENT": CANARIES["OBShell password of the agent"],
    "PG_PASSWORD": CANARIES["PostgreSQL password"],
    "HTTPS_PROXY": f"http://u:{CANARIES['proxy password']}@127.0.0.1:1",
    "HTTP_PROXY": f"http://u:{CANARIES['proxy password']}@127.0.0.1:1",
    "GITHUB_TOKEN": CANARIES["a token of somebody else's"],
}

#: The connections, all of which lead to the one service; `late` writes its secret down.
CONNECTIONS = """\
apiVersion: reconciler/v1
kind: Project
metadata: {{name: canaries}}
spec:
  {state}
  connections:
    prod: {{provider: dataworks, region: r, project: test_project, projectId: 1, endpoint: "{url}",
      credentials: {{source: env}}}}
    late: {{provider: dataworks, region: r, projectId: 2, endpoint: "{url}",
      credentials: {{source: static, accessKeyId: a, accessKeySecret: canary-literal-77{broken}}}}}
    hw: {{provider: dataarts, region: r, projectId: p1, workspace: w1, instance: i1, endpoint: "{url}",
      credentials: {{source: static, accessKeyId: a, accessKeySecret: "${{env:HW_SK}}",
        securityToken: "${{env:HW_TOKEN}}"}}}}
    user: {{provider: dataarts, region: r, projectId: p1, workspace: w2, instance: i1, endpoint: "{url}",
      iamEndpoint: "{url}",
      credentials: {{source: password, user: u, domain: d, password: "${{env:HW_PASSWORD}}"}}}}
    bad: {{provider: dataarts, region: r, projectId: p1, workspace: w3, instance: i1, endpoint: "{url}",
      iamEndpoint: "{url}",
      credentials: {{source: password, user: bad, domain: d, password: "${{env:HW_PASSWORD}}"}}}}
    ob: {{provider: obshell, endpoint: "{url}", password: "${{env:OB_PASSWORD}}",
      agentPassword: "${{env:OB_AGENT}}"}}
"""


class _Repeating(http.server.BaseHTTPRequestHandler):
    """Lists nothing, refuses the rest, and repeats what it could know and what it was sent."""

    def _answer(self) -> None:
        length = int(self.headers.get("content-length", "0"))
        sent = f"{self.path} {self.headers} {self.rfile.read(length).decode()}"
        text = f"{self._known()} {sent}"
        is_login = self._is_login()
        lists = self.headers.get("x-acs-action") == "ListInstances"
        error = {"errCode": text, "message": text, "subErrors": [text]}
        fits = {"token": {"expires_at": "2099-01-01T00:00:00.000000Z"}, "said": text}
        is_good = is_login and '"bad"' not in sent
        body = json.dumps(
            fits
            if is_good
            else {
                **dict.fromkeys(("Code", "Message", "RequestId", "HostId"), text),
                **dict.fromkeys(("error_code", "error_msg", "request_id", "traceId"), text),
                "error": error,
                "Success": lists,
                "Data": {"TotalCount": 0, "PageNumber": 1, "PageSize": 100, "Instances": []},
            }
        ).encode()
        self.send_response(201 if is_login else 200 if lists else 400)
        if is_login:
            self.send_header("x-subject-token", CANARIES["DataArts token of a session"])
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _is_login(self) -> bool:
        return self.path.partition("?")[0].endswith("/auth/tokens")

    def _known(self) -> str:
        """The secrets of the connection that asks."""
        names: tuple[str, ...]
        if "x-acs-action" in self.headers:
            late = "Credential=a," in self.headers.get("authorization", "")
            names = ("written",) if late else ("DataWorks",)
        elif self.path.startswith("/api/v1"):
            names = ("OBShell",)
        elif "x-auth-token" in self.headers or self._is_login():
            names = ("DataArts token", "DataArts password")
        else:
            names = ("DataArts access", "DataArts security")
        return " ".join(value for name, value in CANARIES.items() if name.startswith(names))

    do_GET = do_POST = do_PUT = _answer  # noqa: N815 - as their base has them

    def log_message(self, *_: object) -> None:
        """Say nothing on stderr, which is judged."""


@contextlib.contextmanager
def repeating() -> Iterator[str]:
    """The URL of such a service."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Repeating)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
