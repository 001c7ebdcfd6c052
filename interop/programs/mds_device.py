"""mdsisclienttools' DeviceFlowManager through all that it does. Told by the environment, says JSON lines.

STEPS: some of auth, implicit-refresh, refresh, reuse, reset, again. The address that it would open in a browser is the
code event. Its own output goes to stderr.
"""
import contextlib, json, os, sys, urllib.parse, webbrowser

import requests
from mdsisclienttools.auth.TokenManager import DeviceFlowManager

env = os.environ
out = sys.stdout


def say(**event):
    print(json.dumps(event), file=out, flush=True)


def opened(url, *_args, **_kwargs):
    address = urllib.parse.urlsplit(url)
    code = urllib.parse.parse_qs(address.query)["user_code"][0]
    say(code={"user_code": code, "verification_uri": url})
    return False


webbrowser.open = opened
polls = []
send = requests.Session.send


def counted(self, request, **kwargs):
    answer = send(self, request, **kwargs)
    polls.append((request.url, answer.text[:200]))
    return answer


requests.Session.send = counted


def manager(force=False):
    return DeviceFlowManager(
        stage="TEST",
        keycloak_endpoint=env["ISSUER"],
        client_id=env["CLIENT_ID"],
        local_storage_location=env["STORAGE"],
        scopes=env["SCOPE"].split() if env.get("SCOPE") else [],
        force_token_refresh=force,
        silent=True,
    )


def tokens(m):
    return {"access_token": m.tokens.access_token, "refresh_token": m.tokens.refresh_token}


with contextlib.redirect_stdout(sys.stderr):
    try:
        m = manager()
        say(tokens=tokens(m))
        for step in filter(None, env.get("STEPS", "").split(",")):
            if step == "auth":
                before = len(polls)
                header = requests.Request("GET", "http://example.invalid/", auth=m.get_auth()).prepare().headers
                assert header["authorization"] == f"Bearer {m.tokens.access_token}", "another token in the header"
                assert len(polls) == before, "a valid token must not cost a request"
            elif step == "implicit-refresh":
                m.tokens.access_token = "not.a.jwt"
                m.get_auth()
                say(refreshed=tokens(m))
            elif step == "refresh":
                m.perform_token_refresh()
                say(refreshed=tokens(m))
            elif step == "reuse":
                assert manager().tokens.access_token == m.tokens.access_token, "the stored token was not taken"
            elif step == "reset":
                m.reset_storage()
            elif step == "again":
                m = manager(True)
                say(tokens=tokens(m))
            say(step=step)
    except BaseException as error:
        # Its exception does not say what the server said.
        say(refused=f"{type(error).__name__} {error} {polls[-1] if polls else ''}")
        sys.exit(1)
