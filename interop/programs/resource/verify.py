import os

import jwt

ISSUER = os.environ["ISSUER"]
KEYS = jwt.PyJWKClient(f"{ISSUER}/jwks")


def verify_access_token(token: str) -> dict:
    """Raises jwt.PyJWTError where the token is not for us."""
    if jwt.get_unverified_header(token).get("typ", "").lower() != "at+jwt":
        raise jwt.InvalidTokenError("not an access token")
    claims = jwt.decode(
        token,
        KEYS.get_signing_key_from_jwt(token).key,
        algorithms=["RS256", "ES256"],
        issuer=ISSUER,
        audience=os.environ["AUDIENCE"],
        options={"require": ["sub", "exp", "client_id"]},
    )
    if "cnf" in claims:
        raise jwt.InvalidTokenError("bound to a key: a DPoP proof must come with it")
    return claims
