"""A device with requests-oauthlib and oauthlib's DeviceClient, as their manuals show it. Says JSON lines."""
import json, os, sys, time
from urllib.parse import quote

from oauthlib.oauth2 import DeviceClient
from oauthlib.oauth2.rfc6749.errors import OAuth2Error
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

env = os.environ


def say(**event):
    print(json.dumps(event), flush=True)


def answer(token):
    return {name: token[name] for name in ("access_token", "refresh_token", "id_token") if token.get(name)}


SECRET = env.get("CLIENT_SECRET", "")
METHOD = env.get("AUTH_METHOD", "")
# For a client in the body it wants the secret by name, for one in the header it wants nothing but the header.
basic = HTTPBasicAuth(quote(env["CLIENT_ID"]), quote(SECRET, safe="")) if METHOD == "client_secret_basic" else None
proof = {
    "": {"include_client_id": True},
    "client_secret_basic": {"auth": basic},
    "client_secret_post": {"include_client_id": True, "client_secret": SECRET},
}[METHOD]

try:
    client = DeviceClient(env["CLIENT_ID"])
    session = OAuth2Session(env["CLIENT_ID"], client=client, scope=env["SCOPE"].split())
    # It has nothing for the first request: that is its user's.
    about = {"client_id": env["CLIENT_ID"], "scope": env["SCOPE"]}
    if METHOD == "client_secret_post":
        about["client_secret"] = SECRET
    start = session.post(env["DEVICE_ENDPOINT"], withhold_token=True, data=about, auth=basic).json()
    say(code=start)
    interval = start.get("interval", 5)
    while True:
        time.sleep(interval)
        try:
            token = session.fetch_token(env["TOKEN_ENDPOINT"], device_code=start["device_code"], **proof)
            break
        except OAuth2Error as error:
            if error.error == "slow_down":
                interval += 5
            elif error.error != "authorization_pending":
                raise
    say(tokens=answer(token))
    if "refresh" in env.get("STEPS", ""):
        in_body = {"client_id": env["CLIENT_ID"], **({"client_secret": SECRET} if METHOD == "client_secret_post" else {})}
        say(refreshed=answer(session.refresh_token(env["TOKEN_ENDPOINT"], auth=basic, **({} if basic else in_body))))
except Exception as error:
    say(refused=f"{type(error).__name__} {getattr(error, 'error', '')} {error}")
    sys.exit(1)
