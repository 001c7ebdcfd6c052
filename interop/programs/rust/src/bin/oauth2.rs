//! A device with the `oauth2` crate, as its manual shows it.
use device::{finish, say, told};
use oauth2::basic::BasicClient;
use oauth2::{
    AuthType, ClientId, ClientSecret, DeviceAuthorizationUrl, Scope, StandardDeviceAuthorizationResponse, TokenResponse, TokenUrl,
};
use serde_json::json;

fn run() -> Result<(), Box<dyn std::error::Error>> {
    // Not ureq: with it these crates lose every answer that is an error, and poll on after a denial.
    let http = oauth2::reqwest::blocking::Client::builder()
        .redirect(oauth2::reqwest::redirect::Policy::none())
        .build()?;
    let mut client = BasicClient::new(ClientId::new(told("CLIENT_ID")))
        .set_device_authorization_url(DeviceAuthorizationUrl::new(told("DEVICE_ENDPOINT"))?)
        .set_token_uri(TokenUrl::new(told("TOKEN_ENDPOINT"))?);
    if told("AUTH_METHOD") != "" {
        client = client.set_client_secret(ClientSecret::new(told("CLIENT_SECRET")));
    }
    if told("AUTH_METHOD") == "client_secret_post" {
        client = client.set_auth_type(AuthType::RequestBody);
    }
    let scopes = told("SCOPE");
    let start: StandardDeviceAuthorizationResponse = client
        .exchange_device_code()
        .add_scopes(scopes.split(' ').map(|scope| Scope::new(scope.to_string())))
        .request(&http)?;
    say(
        "code",
        json!({ "user_code": start.user_code().secret(), "verification_uri": start.verification_uri().to_string() }),
    );
    let token = client.exchange_device_access_token(&start).request(&http, std::thread::sleep, None)?;
    let refresh = token.refresh_token().ok_or("no refresh token")?;
    say("tokens", json!({ "access_token": token.access_token().secret(), "refresh_token": refresh.secret() }));
    if told("STEPS") == "refresh" {
        let again = client.exchange_refresh_token(refresh).request(&http)?;
        say("refreshed", json!({ "access_token": again.access_token().secret() }));
    }
    Ok(())
}

fn main() {
    finish(run());
}
