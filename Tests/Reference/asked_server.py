"""A server that a campaign asks."""
import http.client
import json
import re
import subprocess


class Server:
    """A server that this campaign started, or one that listens at a port."""

    def __init__(self, binary):
        self.process = None
        if re.fullmatch(r"\d+", binary):
            self.port = int(binary)
            return
        self.process = subprocess.Popen([binary, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(20)


def send(port, path, body, timeout, connection=[]):
    """Status and JSON of the answer, over the one connection of this process; 0 if none came."""
    if not connection:
        connection.append(http.client.HTTPConnection("127.0.0.1", port, timeout=timeout))
    try:
        connection[0].request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection[0].getresponse()
        return answer.status, json.loads(answer.read())
    except (OSError, http.client.HTTPException) as error:
        connection.clear()
        return 0, {"detail": f"no answer: {error!r}"}
