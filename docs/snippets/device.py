"""Signs this device in with Python alone (RFC 8628). Usage: python3 device.py ISSUER CLIENT_ID; the token goes to stdout."""

import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request


def ask(url, form=None):
    body = urllib.parse.urlencode(form).encode() if form else None
    try:
        with urllib.request.urlopen(url, body, timeout=10) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        # An error of OAuth is JSON too; what is not, is a server that is away.
        try:
            return json.load(error)
        except ValueError:
            return {"error": "temporarily_unavailable"}


issuer, client = sys.argv[1].rstrip("/"), sys.argv[2]
metadata = ask(f"{issuer}/.well-known/openid-configuration")
start = ask(
    metadata["device_authorization_endpoint"],
    {"client_id": client, "scope": os.environ.get("SCOPE", "openid")},
)
if "error" in start:
    sys.exit(f"Refused: {start['error']}")
print(f"Open {start['verification_uri']} and type {start['user_code']}", file=sys.stderr)

interval = start.get("interval", 5)
while True:
    time.sleep(interval)
    try:
        answer = ask(
            metadata["token_endpoint"],
            {
                "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
                "device_code": start["device_code"],
                "client_id": client,
            },
        )
    except OSError:
        continue  # No answer is no reason to stop: the next poll may have one.
    error = answer.get("error")
    if error == "slow_down":
        interval += 5
    elif error is None:
        print(answer["access_token"])
        break
    elif error not in ("authorization_pending", "temporarily_unavailable"):
        sys.exit(f"Refused: {error}")
