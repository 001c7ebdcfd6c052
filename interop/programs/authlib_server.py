"""An OpenID provider out of Authlib's parts, in Flask, as its manual puts them together: everything in memory.

ISSUER, KEY_FILE (a private JWK), CLIENT_SECRET and REDIRECT_URIS come by the environment. `/control/…` is the
administrator: disable and enable an account.
"""
import json
import os
import secrets
import time
from types import SimpleNamespace

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc8628 import DEVICE_CODE_GRANT_TYPE
from authlib.oauth2.rfc8628 import DeviceAuthorizationEndpoint as BaseDeviceEndpoint
from authlib.oauth2.rfc8628 import DeviceCodeGrant as BaseDeviceGrant
from authlib.oauth2.rfc8628 import DeviceCredentialDict
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode as BaseOpenIDCode
from flask import Flask, jsonify, redirect, request, session
from joserfc.jwk import RSAKey

env = os.environ
ISSUER = env["ISSUER"]
key = RSAKey.import_key(json.load(open(env["KEY_FILE"])))
app = Flask(__name__)
app.config.update(SECRET_KEY=secrets.token_hex(), OAUTH2_REFRESH_TOKEN_GENERATOR=True, SESSION_COOKIE_NAME="authlib")
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
users = {name: {"name": name.title(), "active": True} for name in ("alice", "bob")}
codes, tokens, devices, decisions = {}, [], {}, {}


class Client(ClientMixin):
    id_token_signed_response_alg = "RS256"

    def __init__(self, client_id, secret, redirect_uris, grant_types):
        self.client_id, self.secret, self.redirect_uris, self.grant_types = client_id, secret, redirect_uris, grant_types

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return None

    def get_allowed_scope(self, scope):
        return " ".join(s for s in (scope or "").split() if s in ("openid", "profile", "email"))

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, secret):
        return self.secret is not None and secrets.compare_digest(self.secret, secret)

    def check_endpoint_auth_method(self, method, endpoint):
        return method == ("none" if self.secret is None else "client_secret_basic")

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return grant_type in self.grant_types


clients = {
    "gatehouse": Client(
        "gatehouse", env["CLIENT_SECRET"], env["REDIRECT_URIS"].split(), ["authorization_code", "refresh_token"]
    ),
    **{name: Client(name, None, [], [DEVICE_CODE_GRANT_TYPE]) for name in ("device-cli", "other-cli")},
}


class Token(SimpleNamespace):
    def check_client(self, client):
        return self.client_id == client.client_id

    def get_scope(self):
        return self.scope

    def get_expires_in(self):
        return self.expires_in

    def is_expired(self):
        return time.time() > self.issued_at + self.expires_in

    def is_revoked(self):
        return self.revoked

    def get_user(self):
        return self.user

    def get_client(self):
        return clients[self.client_id]


def save_token(token, request):
    fields = {"refresh_token": None, "scope": "", **token}
    user, client_id = request.user, request.client.client_id
    tokens.append(Token(**fields, user=user, client_id=client_id, issued_at=time.time(), revoked=False))


class Code(SimpleNamespace):
    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope

    def get_nonce(self):
        return self.nonce

    def get_auth_time(self):
        return self.auth_time

    def get_acr(self):
        return None

    def get_amr(self):
        return None


class CodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]

    def save_authorization_code(self, code, request):
        payload = request.payload
        codes[code] = Code(
            code=code,
            client_id=payload.client_id,
            redirect_uri=payload.redirect_uri,
            scope=payload.scope,
            user=request.user,
            nonce=payload.data.get("nonce"),
            code_challenge=payload.data.get("code_challenge"),
            code_challenge_method=payload.data.get("code_challenge_method"),
            auth_time=int(time.time()),
        )

    def query_authorization_code(self, code, client):
        found = codes.get(code)
        return found if found and found.client_id == client.client_id else None

    def delete_authorization_code(self, code):
        codes.pop(code.code, None)

    def authenticate_user(self, code):
        return code.user


class RefreshGrant(grants.RefreshTokenGrant):
    INCLUDE_NEW_REFRESH_TOKEN = True
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]

    def authenticate_refresh_token(self, refresh_token):
        # Here, not in authenticate_user: without a user Authlib answers invalid_request, which ends nothing.
        found = next((t for t in tokens if t.refresh_token == refresh_token and not t.revoked), None)
        return found if found and users[found.user]["active"] else None

    def authenticate_user(self, token):
        return token.user

    def revoke_old_credential(self, token):
        token.revoked = True


class OpenIDCode(BaseOpenIDCode):
    def exists_nonce(self, nonce, request):
        return any(code.nonce == nonce for code in codes.values())

    def resolve_client_private_key(self, client):
        return key

    def get_encode_header(self, client):
        return {"alg": "RS256", "kid": key.kid}

    def get_client_claims(self, client):
        return {"iss": ISSUER, "aud": [client.client_id]}

    def generate_user_info(self, user, scope):
        return UserInfo(sub=user, name=users[user]["name"], email=f"{user}@corp.example")


class Revocation(RevocationEndpoint):
    CLIENT_AUTH_METHODS = ["client_secret_basic"]

    def query_token(self, token, hint):
        return next((t for t in tokens if token in (t.access_token, t.refresh_token)), None)

    def revoke_token(self, token, request):
        token.revoked = True


class DeviceEndpoint(BaseDeviceEndpoint):
    CLIENT_AUTH_METHODS = ["none"]

    def get_verification_uri(self):
        return f"{ISSUER}/device"

    def save_device_credential(self, client_id, scope, data):
        devices[data["device_code"]] = DeviceCredentialDict(
            {"client_id": client_id, "scope": scope, "expires_at": time.time() + data["expires_in"], **data}
        )


class DeviceGrant(BaseDeviceGrant):
    def query_device_credential(self, device_code):
        return devices.get(device_code)

    def query_user_grant(self, user_code):
        return decisions.get(user_code)

    def should_slow_down(self, credential):
        return False


server = AuthorizationServer(app, query_client=clients.get, save_token=save_token)
server.register_grant(CodeGrant, [OpenIDCode(require_nonce=False), CodeChallenge(required=True)])
server.register_grant(RefreshGrant)
server.register_grant(DeviceGrant)
server.register_endpoint(Revocation)
server.register_endpoint(DeviceEndpoint)


def page(title, form):
    return f"<!doctype html><title>{title}</title><h1>{title}</h1><form method=post>{form}</form>"


def signed_in():
    if request.method == "POST" and request.form.get("password"):
        name = request.form.get("username")
        if request.form["password"] == f"{name}-password" and users.get(name, {}).get("active"):
            session["user"] = name
            return None
    if "user" in session and users[session["user"]]["active"]:
        return None
    return page("Sign in", "<input name=username><input name=password type=password><button>Sign in</button>")


CONSENT = '<button type="submit" name="confirm" value="yes">Yes</button><button type="submit" name="deny" value="no">No</button>'


@app.route("/authorize", methods=["GET", "POST"])
def authorize():
    if (asks := signed_in()) is not None:
        return asks
    if request.form.get("deny"):
        return server.create_authorization_response(grant_user=None)
    if request.form.get("confirm"):
        return server.create_authorization_response(grant_user=session["user"])
    server.get_consent_grant(end_user=session["user"])
    return page("Gatehouse wants to know who you are", CONSENT)


@app.route("/device", methods=["GET", "POST"])
def device():
    if (asks := signed_in()) is not None:
        return asks
    code = request.form.get("user_code") or session.get("user_code")
    if request.form.get("confirm") or request.form.get("deny"):
        decisions[session.pop("user_code")] = (session["user"], bool(request.form.get("confirm")))
        return "<h1>Done</h1>"
    if request.method == "POST" and any(d["user_code"] == code for d in devices.values()):
        session["user_code"] = code
        return page("Is this your device?", CONSENT)
    return page("Type the code", '<input name="user_code"><button>Go on</button>')


@app.post("/token")
def token():
    return server.create_token_response()


@app.post("/revoke")
def revoke():
    return server.create_endpoint_response(Revocation.ENDPOINT_NAME)


@app.post("/device_authorization")
def device_authorization():
    return server.create_endpoint_response(DeviceEndpoint.ENDPOINT_NAME)


@app.route("/userinfo")
def userinfo():
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    found = next((t for t in tokens if t.access_token == bearer and not t.revoked and not t.is_expired()), None)
    if found is None:
        return {"error": "invalid_token"}, 401
    return {"sub": found.user, "name": users[found.user]["name"], "email": f"{found.user}@corp.example"}


@app.route("/jwks")
def jwks():
    return {"keys": [{**key.as_dict(private=False), "use": "sig", "alg": "RS256", "kid": key.kid}]}


@app.route("/.well-known/openid-configuration")
def metadata():
    return jsonify(
        issuer=ISSUER,
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=f"{ISSUER}/token",
        userinfo_endpoint=f"{ISSUER}/userinfo",
        revocation_endpoint=f"{ISSUER}/revoke",
        device_authorization_endpoint=f"{ISSUER}/device_authorization",
        jwks_uri=f"{ISSUER}/jwks",
        response_types_supported=["code"],
        subject_types_supported=["public"],
        id_token_signing_alg_values_supported=["RS256"],
        grant_types_supported=["authorization_code", "refresh_token", DEVICE_CODE_GRANT_TYPE],
        token_endpoint_auth_methods_supported=["client_secret_basic", "none"],
        code_challenge_methods_supported=["S256"],
        scopes_supported=["openid", "profile", "email"],
    )


@app.post("/control/<what>/<name>")
def control(what, name):
    users[name]["active"] = what == "enable"
    return "", 204
