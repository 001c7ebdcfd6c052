"""A device with requests-oauth2client, as its manual shows it. Told by the environment, says JSON lines."""
import json, os, sys
from requests_oauth2client import (
    ClientSecretBasic,
    ClientSecretPost,
    DeviceAuthorizationPoolingJob,
    OAuth2Client,
    PrivateKeyJwt,
    PublicApp,
)

env = os.environ


def say(**event):
    print(json.dumps(event), flush=True)


METHODS = {
    "": lambda name: PublicApp(name),
    "client_secret_basic": lambda name: ClientSecretBasic(name, env["CLIENT_SECRET"]),
    "client_secret_post": lambda name: ClientSecretPost(name, env["CLIENT_SECRET"]),
    # By itself it makes its assertions for each endpoint's address; Gatehouse wants them for the issuer alone.
    "private_key_jwt": lambda name: PrivateKeyJwt(
        name, private_jwk=json.loads(env["PRIVATE_JWK"]), alg="ES256", aud=env["ISSUER"]
    ),
}
auth = METHODS[env.get("AUTH_METHOD", "")](env["CLIENT_ID"])
# testing=True: it takes http only then.
# Its discovery leaves the device endpoint out.
client = OAuth2Client.from_discovery_endpoint(
    issuer=env["ISSUER"], auth=auth, testing=True, device_authorization_endpoint=env["DEVICE_ENDPOINT"]
)
try:
    start = client.authorize_device(scope=env["SCOPE"])
    say(code={"user_code": start.user_code, "verification_uri": start.verification_uri})
    job = DeviceAuthorizationPoolingJob(client, start)
    token = None
    while token is None:
        token = job()
    say(tokens={"access_token": token.access_token, "refresh_token": token.refresh_token,
                **({"id_token": str(token.id_token)} if token.id_token else {})})
    if "refresh" in env.get("STEPS", ""):
        again = client.refresh_token(token.refresh_token)
        say(refreshed={"access_token": again.access_token, "refresh_token": again.refresh_token})
except Exception as error:
    say(refused=f"{type(error).__name__} {error!r} {getattr(error, 'error', '')}")
    sys.exit(1)
