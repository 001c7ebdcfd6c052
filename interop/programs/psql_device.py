"""psql of PostgreSQL 18 with libpq-oauth: one connection is one sign-in. Says JSON lines."""
import json, os, re, subprocess, sys

env = os.environ


def say(**event):
    print(json.dumps(event), flush=True)


def quoted(value):
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


told = {
    "host": "127.0.0.1",
    "port": env["PG_PORT"],
    "user": "alice",
    "dbname": "corp",
    "sslmode": "disable",
    "gssencmode": "disable",
    "require_auth": "oauth",
    "oauth_issuer": env["ISSUER"],
    "oauth_client_id": env["CLIENT_ID"],
}
if env.get("CLIENT_SECRET"):
    told["oauth_client_secret"] = env["CLIENT_SECRET"]
conninfo = " ".join(f"{name}={quoted(value)}" for name, value in told.items())
psql = [*json.loads(env["PSQL"]), "-X", "-A", "-t", "-c", "select current_user", conninfo]
# It takes no other CA file, and no plain http, unless it is told that this is a test; then it shows its requests too.
unsafe = {"PGOAUTHDEBUG": "UNSAFE", "PGOAUTHCAFILE": env["CA_FILE"]}
run = subprocess.Popen(psql, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**env, **unsafe})
lines = []
for line in run.stderr:
    lines.append(line.rstrip())
    shown = re.search(r"Visit (\S+) and enter the code: (\S+)", line)
    if shown:
        say(code={"verification_uri": shown[1], "user_code": shown[2]})
answer = run.stdout.read().strip()
if run.wait() == 0:
    say(user=answer)
else:
    said = [line for line in lines if not re.match(r"\[|[<>*{}] ", line)]
    say(refused=" ".join(said)[-1500:])
    sys.exit(1)
