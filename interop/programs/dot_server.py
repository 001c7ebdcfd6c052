"""django-oauth-toolkit as an OpenID provider: one file, SQLite, two people, a client for Gatehouse and one for devices.

`python dot_server.py setup REDIRECT_URI…` fills the database; `enable NAME` and `disable NAME` switch an account;
gunicorn serves `dot_server:application`. ISSUER, DATABASE, KEY_FILE and CLIENT_SECRET come by the environment.
"""
import os
import sys

import django
from django.conf import settings

env = os.environ
LOGIN = """<!doctype html><title>Sign in</title><h1>Sign in</h1>
<form method="post">{% csrf_token %}{{ form.as_p }}<input type="hidden" name="next" value="{{ next }}">
<button type="submit">Sign in</button></form>"""

if not settings.configured:
    settings.configure(
        DEBUG=False,
        SECRET_KEY="a-secret-of-the-matrix",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": env["DATABASE"]}},
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "oauth2_provider",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "loaders": [
                        ("django.template.loaders.locmem.Loader", {"registration/login.html": LOGIN}),
                        "django.template.loaders.app_directories.Loader",
                    ],
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                    ],
                },
            }
        ],
        LOGIN_URL="/accounts/login/",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_ISS_ENDPOINT": env["ISSUER"],
            "OIDC_RSA_PRIVATE_KEY": open(env["KEY_FILE"]).read(),
            "PKCE_REQUIRED": True,
            "ALLOWED_REDIRECT_URI_SCHEMES": ["http", "https"],
            "SCOPES": {"openid": "OpenID", "profile": "Profile", "email": "E-mail"},
            "OAUTH2_VALIDATOR_CLASS": "dot_validator.Validator",
            "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
            "DEVICE_FLOW_INTERVAL": 2,
            "OAUTH_DEVICE_VERIFICATION_URI": env["ISSUER"] + "/device/",
        },
    )
    django.setup()

from django.contrib.auth.views import LoginView  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import include, path  # noqa: E402

urlpatterns = [
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    path("accounts/login/", LoginView.as_view()),
    # Where it sends whoever has signed out.
    path("", lambda request: HttpResponse("<h1>Home</h1>")),
]
application = get_wsgi_application()


def setup(redirect_uris):
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from oauth2_provider.models import get_application_model

    call_command("migrate", verbosity=0)
    users = get_user_model().objects
    for name in ("alice", "bob"):
        if not users.filter(username=name).exists():
            users.create_user(name, f"{name}@corp.example", f"{name}-password", first_name=name.title())
    applications = get_application_model().objects
    applications.all().delete()
    applications.create(
        client_id="gatehouse",
        client_secret=env["CLIENT_SECRET"],
        client_type="confidential",
        authorization_grant_type="authorization-code",
        redirect_uris=" ".join(redirect_uris),
        algorithm="RS256",
        name="Gatehouse",
    )
    for name in ("device-cli", "other-cli"):
        applications.create(
            client_id=name,
            client_type="public",
            authorization_grant_type="urn:ietf:params:oauth:grant-type:device_code",
            algorithm="RS256",
            name="Device",
        )


def switch(name, active):
    from django.contrib.auth import get_user_model

    get_user_model().objects.filter(username=name).update(is_active=active)


if __name__ == "__main__":
    if sys.argv[1] == "setup":
        setup(sys.argv[2:])
    else:
        switch(sys.argv[2], sys.argv[1] == "enable")
