"""A device with msal's PublicClientApplication at an OpenID provider of its own. Says JSON lines."""
import json, os, sys

import msal

env = os.environ


def say(**event):
    print(json.dumps(event), flush=True)


def answer(result):
    return {name: result[name] for name in ("access_token", "refresh_token", "id_token") if result.get(name)}


try:
    app = msal.PublicClientApplication(env["CLIENT_ID"], oidc_authority=env["ISSUER"])
    # openid, profile and offline_access are always asked for, and must not be named.
    scopes = ["email"]
    start = app.initiate_device_flow(scopes=scopes)
    if "user_code" not in start:
        raise RuntimeError(json.dumps(start))
    say(code={"user_code": start["user_code"], "verification_uri": start["verification_uri"]})
    result = app.acquire_token_by_device_flow(start)
    if "error" in result:
        raise RuntimeError(json.dumps(result))
    say(tokens=answer(result))
    if "refresh" in env.get("STEPS", ""):
        account = app.get_accounts()[0]
        again = app.acquire_token_silent_with_error(scopes, account, force_refresh=True)
        say(refreshed=answer(again))
except Exception as error:
    say(refused=f"{type(error).__name__} {error}")
    sys.exit(1)
