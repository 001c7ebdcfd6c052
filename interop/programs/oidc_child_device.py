"""SSSD's oidc_child as SSSD runs it: one process asks for a code, another waits with it for the person. Says JSON lines."""
import json, os, subprocess, sys

env = os.environ


def say(**event):
    print(json.dumps(event), flush=True)


def child(step, given=""):
    told = ["--issuer-url", env["ISSUER"], "--client-id", env["CLIENT_ID"], "--ca-db", env["CA_FILE"], "--logger=stderr"]
    done = subprocess.run([env["OIDC_CHILD"], step, *told], input=given, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{step}: exit {done.returncode} {done.stdout} {done.stderr}")
    return done.stdout


try:
    kept, shown = child("--get-device-code").split("\n")[:2]
    say(code=json.loads(shown.removeprefix("oauth2 ")))
    say(user=child("--get-access-token", kept).strip())
except Exception as error:
    say(refused=str(error))
    sys.exit(1)
