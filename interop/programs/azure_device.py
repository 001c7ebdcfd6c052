"""A device with azure-identity's DeviceCodeCredential, at an authority of its own. Says JSON lines."""
import json, os, sys
from urllib.parse import urlsplit

from azure.identity import DeviceCodeCredential

env = os.environ


def say(**event):
    print(json.dumps(event), flush=True)


def show(address, code, _expires):
    say(code={"user_code": code, "verification_uri": address})


try:
    issuer = urlsplit(env["ISSUER"])
    credential = DeviceCodeCredential(
        client_id=env["CLIENT_ID"],
        authority=issuer.netloc,
        tenant_id=issuer.path.split("/")[1],
        # It would ask Microsoft whether there is such an authority.
        disable_instance_discovery=True,
        prompt_callback=show,
    )
    token = credential.get_token("email")
    say(tokens={"access_token": token.token})
except Exception as error:
    say(refused=f"{type(error).__name__} {error}")
    sys.exit(1)
