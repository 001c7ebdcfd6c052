//! A device with the `openidconnect` crate, as its manual shows it; it also checks the ID token.
use device::{finish, say, told};
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod, CoreDeviceAuthorizationResponse,
    CoreGrantType, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode,
    CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{
    AdditionalProviderMetadata, AuthType, ClientId, ClientSecret, DeviceAuthorizationUrl, IssuerUrl, Nonce, OAuth2TokenResponse,
    ProviderMetadata, Scope, TokenResponse,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Clone, Debug, Deserialize, Serialize)]
struct DeviceEndpoint {
    device_authorization_endpoint: DeviceAuthorizationUrl,
}
impl AdditionalProviderMetadata for DeviceEndpoint {}

type Metadata = ProviderMetadata<
    DeviceEndpoint,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

fn run() -> Result<(), Box<dyn std::error::Error>> {
    // Not ureq: with it these crates lose every answer that is an error, and poll on after a denial.
    let http = openidconnect::reqwest::blocking::Client::builder()
        .redirect(openidconnect::reqwest::redirect::Policy::none())
        .build()?;
    let metadata = Metadata::discover(&IssuerUrl::new(told("ISSUER"))?, &http)?;
    let at = metadata.additional_metadata().device_authorization_endpoint.clone();
    let secret = (told("AUTH_METHOD") != "").then(|| ClientSecret::new(told("CLIENT_SECRET")));
    let is_basic = told("AUTH_METHOD") == "client_secret_basic";
    let client = CoreClient::from_provider_metadata(metadata, ClientId::new(told("CLIENT_ID")), secret)
        .set_device_authorization_url(at)
        .set_auth_type(if is_basic { AuthType::BasicAuth } else { AuthType::RequestBody });
    // It asks for openid by itself.
    let start: CoreDeviceAuthorizationResponse =
        client.exchange_device_code().add_scope(Scope::new("profile".to_string())).request(&http)?;
    say(
        "code",
        json!({ "user_code": start.user_code().secret(), "verification_uri": start.verification_uri().to_string() }),
    );
    let token = client.exchange_device_access_token(&start)?.request(&http, std::thread::sleep, None)?;
    let id_token = token.id_token().ok_or("no ID token")?;
    id_token.claims(&client.id_token_verifier(), |_: Option<&Nonce>| Ok(()))?;
    let refresh = token.refresh_token().ok_or("no refresh token")?;
    say(
        "tokens",
        json!({
            "access_token": token.access_token().secret(),
            "refresh_token": refresh.secret(),
            "id_token": id_token.to_string(),
        }),
    );
    if told("STEPS") == "refresh" {
        let again = client.exchange_refresh_token(refresh)?.request(&http)?;
        say("refreshed", json!({ "access_token": again.access_token().secret() }));
    }
    Ok(())
}

fn main() {
    finish(run());
}
