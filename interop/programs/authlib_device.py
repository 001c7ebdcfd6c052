"""A device with Authlib's OAuth2Session, as its manual shows it. Says JSON lines."""
import json, os, sys, time

from authlib.integrations.requests_client import OAuth2Session, OAuthError

env = os.environ
GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def say(**event):
    print(json.dumps(event), flush=True)


def answer(token):
    return {name: token[name] for name in ("access_token", "refresh_token", "id_token") if token.get(name)}


METHOD = env.get("AUTH_METHOD", "none")
try:
    session = OAuth2Session(
        env["CLIENT_ID"],
        client_secret=env.get("CLIENT_SECRET"),
        scope=env["SCOPE"],
        token_endpoint_auth_method=METHOD,
    )
    # It has nothing for the first request but this, which also names the client.
    start = session.request(
        "POST",
        env["DEVICE_ENDPOINT"],
        withhold_token=True,
        auth=session.client_auth(METHOD),
        data={"scope": env["SCOPE"]},
    ).json()
    say(code=start)
    interval = start.get("interval", 5)
    while True:
        time.sleep(interval)
        try:
            token = session.fetch_token(env["TOKEN_ENDPOINT"], grant_type=GRANT, device_code=start["device_code"])
            break
        except OAuthError as error:
            if error.error == "slow_down":
                interval += 5
            elif error.error != "authorization_pending":
                raise
    say(tokens=answer(token))
    if "refresh" in env.get("STEPS", ""):
        say(refreshed=answer(session.refresh_token(env["TOKEN_ENDPOINT"], refresh_token=token["refresh_token"])))
except Exception as error:
    say(refused=f"{type(error).__name__} {error}")
    sys.exit(1)
