"""The official SDK's tokens at a fixed second with a fixed nonce, and what it makes of ours."""

import json
import secrets
import sys
import time

import jwt
from coinbase import jwt_generator
from cryptography.hazmat.primitives.serialization import load_pem_public_key

asked = json.load(sys.stdin)
time.time = lambda: asked["at"] + 0.9
secrets.token_hex = lambda: asked["nonce"]


def made(secret, uri):
    if uri is None:
        return jwt_generator.build_ws_jwt(asked["key"], secret)
    method, _, rest = uri.partition(" ")
    host, _, path = rest.partition("/")
    assert uri == jwt_generator.format_jwt_uri(method, f"/{path}"), host
    return jwt_generator.build_rest_jwt(uri, asked["key"], secret)


def read(token, public):
    key = load_pem_public_key(public.encode())
    # pyjwt reads a clock of its own; the second is the sheet's
    return jwt.decode(token, key, algorithms=["EdDSA", "ES256"], options={"verify_exp": False})


json.dump(
    {
        "made": [made(one["secret"], one["uri"]) for one in asked["make"]],
        "read": [read(one["token"], one["public"]) for one in asked["read"]],
    },
    sys.stdout,
)
