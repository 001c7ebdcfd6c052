"""A device with huggingface_hub's own sign-in, at another endpoint. Says JSON lines."""
import json, os, sys

env = os.environ
# Read when the package is loaded.
env["HF_ENDPOINT"] = env["ISSUER"]
env["HF_DEVICE_CODE_OAUTH_CLIENT_ID"] = env["CLIENT_ID"]

from huggingface_hub.utils._oauth_device import poll_device_token, refresh_access_token, request_device_code


def say(**event):
    print(json.dumps(event), flush=True)


try:
    start = request_device_code()
    say(code={"user_code": start["user_code"], "verification_uri": start["verification_uri"]})
    tokens = poll_device_token(start)
    say(tokens=tokens)
    if "refresh" in env.get("STEPS", ""):
        say(refreshed=refresh_access_token(tokens["refresh_token"]))
except Exception as error:
    say(refused=f"{type(error).__name__} {error} {getattr(error, 'error_code', '')}")
    sys.exit(1)
