"""What an administrator writes: claims of people, and that a refresh looks at the account, which it does not by itself."""
from oauth2_provider.oauth2_validators import OAuth2Validator


class Validator(OAuth2Validator):
    oidc_claim_scope = None

    def get_additional_claims(self):
        return {
            "name": lambda request: request.user.first_name,
            "email": lambda request: request.user.email,
        }

    def validate_refresh_token(self, refresh_token, client, request, *args, **kwargs):
        is_valid = super().validate_refresh_token(refresh_token, client, request, *args, **kwargs)
        return is_valid and request.user.is_active
