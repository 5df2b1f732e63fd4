"""Python's OAuth clients, each with its defaults, and PyJWT as a service that verifies."""

import asyncio
import os
from importlib.metadata import version

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

import jwt
import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from httpx_oauth.oauth2 import OAuth2
from oauthlib.oauth2 import BackendApplicationClient, LegacyApplicationClient
from requests_oauthlib import OAuth2Session

ISSUER = os.environ["ISSUER"]
AUDIENCE = os.environ["AUDIENCE"]
METADATA = requests.get(f"{ISSUER}/.well-known/oauth-authorization-server").json()
TOKEN = METADATA["token_endpoint"]
USER = {"username": "alice", "password": "wonderland"}
API = f"{ISSUER}/private/custom"


def step(library, what, run):
    try:
        result = run()
        print(library, what, "ok", sep="\t", flush=True)
        return result
    except Exception as error:
        print(library, what, f"{type(error).__name__}: {error}".replace("\n", " "), sep="\t", flush=True)
        return None


def expect(condition):
    if not condition:
        raise AssertionError("not what is expected")


def refused(run):
    try:
        run()
    except Exception as error:
        if "invalid_client" in str(error):
            return
        raise
    raise AssertionError("a wrong secret is taken")


def call(session):
    expect(session.get(API).status_code == 200)


def authlib():
    name = f"Authlib {version('Authlib')}"
    session = AuthlibSession("demo", "demo-secret", scope="read", token_endpoint=TOKEN)
    token = step(name, "login", lambda: session.fetch_token(TOKEN, **USER))
    wrong = AuthlibSession("demo", "wrong", token_endpoint=TOKEN)
    step(name, "wrong secret refused", lambda: refused(lambda: wrong.fetch_token(TOKEN, **USER)))
    step(name, "call", lambda: call(session))
    step(name, "refresh", lambda: session.refresh_token(TOKEN, refresh_token=token["refresh_token"]))
    step(name, "call again", lambda: call(session))
    service = AuthlibSession("demo", "demo-secret")
    step(name, "client_credentials", lambda: service.fetch_token(TOKEN, grant_type="client_credentials"))
    step(name, "revoke", lambda: session.revoke_token(METADATA["revocation_endpoint"], token=session.token["refresh_token"]))
    return session.token


def requests_oauthlib():
    name = f"requests-oauthlib {version('requests-oauthlib')}"
    session = OAuth2Session(client=LegacyApplicationClient("demo", scope="read"))
    login = lambda: session.fetch_token(TOKEN, client_id="demo", client_secret="demo-secret", **USER)
    step(name, "login", login)
    wrong = OAuth2Session(client=LegacyApplicationClient("demo"))
    step(name, "wrong secret refused",
         lambda: refused(lambda: wrong.fetch_token(TOKEN, client_id="demo", client_secret="wrong", **USER)))
    step(name, "call", lambda: call(session))
    step(name, "refresh", lambda: session.refresh_token(TOKEN, auth=("demo", "demo-secret")))
    step(name, "call again", lambda: call(session))
    service = OAuth2Session(client=BackendApplicationClient("demo"))
    step(name, "client_credentials", lambda: service.fetch_token(TOKEN, client_id="demo", client_secret="demo-secret"))


async def httpx_oauth():
    name = f"httpx-oauth {version('httpx-oauth')}"
    client = OAuth2("demo", "demo-secret", f"{ISSUER}/none", TOKEN,
                    refresh_token_endpoint=TOKEN, revoke_token_endpoint=METADATA["revocation_endpoint"],
                    revocation_endpoint_auth_method="client_secret_basic")
    # It has no password grant; the login is a plain form.
    token = requests.post(TOKEN, data=USER, auth=("demo", "demo-secret")).json()
    for what, run in (
        ("refresh", lambda t: client.refresh_token(t["refresh_token"])),
        ("revoke", lambda t: client.revoke_token(t["access_token"])),
    ):
        try:
            token = await run(token) or token
            print(name, what, "ok", sep="\t", flush=True)
        except Exception as error:
            print(name, what, f"{type(error).__name__}: {error}", sep="\t", flush=True)


def pyjwt():
    name = f"PyJWT {version('PyJWT')}"
    token = requests.post(TOKEN, data=USER).json()
    keys = jwt.PyJWKClient(METADATA["jwks_uri"])

    def verify(text):
        key = keys.get_signing_key_from_jwt(text)
        return jwt.decode(text, key, algorithms=["ES256"], issuer=ISSUER, audience=AUDIENCE)

    def refuse():
        try:
            verify(token["refresh_token"])
        except jwt.InvalidAudienceError:
            return
        raise AssertionError("a refresh token is taken")

    step(name, "verify", lambda: verify(token["access_token"]))
    step(name, "refresh token refused", refuse)


authlib()
requests_oauthlib()
asyncio.run(httpx_oauth())
pyjwt()
