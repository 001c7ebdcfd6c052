"""oidc-agent as people use it: the agent holds the account, oidc-gen signs in by the device flow, oidc-token asks. Says JSON lines."""
import json, os, re, shutil, subprocess, sys, tempfile, time

env = dict(os.environ)
home = tempfile.mkdtemp(prefix="oidc-agent-")
env |= {"HOME": home, "OIDC_SOCK": f"{home}/agent", "OIDC_ENCRYPTION_PW": "matrix"}
os.mkdir(f"{home}/.oidc-agent", 0o700)


def say(**event):
    print(json.dumps(event), flush=True)


def run(program, *args):
    done = subprocess.run([f"{env['BIN']}/{program}", *args], capture_output=True, text=True, env=env)
    if done.returncode != 0:
        raise RuntimeError(f"{program}: exit {done.returncode} {done.stdout} {done.stderr}")
    return done.stdout.strip()


def sign_in():
    args = ["--flow=device", f"--iss={env['ISSUER']}", f"--client-id={env['CLIENT_ID']}", f"--scope={env['SCOPE']}"]
    args += [f"--client-secret={env.get('CLIENT_SECRET', '')}", "--redirect-uri=http://localhost:4242", f"--cp={env['CA_FILE']}"]
    args += ["--pw-env", "--no-url-call", "--confirm-default", "-m", "tv"]
    gen = subprocess.Popen(
        [f"{env['BIN']}/oidc-gen", *args],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env,
    )
    lines, shown = [], {}
    for line in gen.stdout:
        # It draws the address as a QR code too.
        if "\x1b" not in line:
            lines.append(line.rstrip())
        address = re.search(r"https?://\S+", line)
        code = re.search(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b", line)
        if address and "verification_uri" not in shown:
            shown["verification_uri"] = address[0]
        if code and "user_code" not in shown and not address:
            shown["user_code"] = code[0]
        if len(shown) == 2 and not shown.get("said"):
            shown["said"] = True
            say(code={name: shown[name] for name in ("verification_uri", "user_code")})
    if gen.wait() != 0:
        raise RuntimeError(f"oidc-gen: exit {gen.returncode} {' '.join(lines)[-1000:]}")


agent = subprocess.Popen([f"{env['BIN']}/oidc-agent", "-d", f"--socket-path={home}/agent"], env=env, stdout=sys.stderr)
try:
    for _ in range(100):
        if os.path.exists(f"{home}/agent"):
            break
        time.sleep(0.05)
    sign_in()
    say(tokens={"access_token": run("oidc-token", "tv")})
    if "refresh" in env.get("STEPS", ""):
        say(refreshed={"access_token": run("oidc-token", "--force-new", "tv")})
except Exception as error:
    say(refused=str(error))
    sys.exit(1)
finally:
    agent.terminate()
    agent.wait(5)
    shutil.rmtree(home, ignore_errors=True)
