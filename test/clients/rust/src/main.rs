//! The `oauth2` crate with its defaults.
use oauth2::basic::BasicClient;
use oauth2::{
    ClientId, ClientSecret, RefreshToken, ResourceOwnerPassword, ResourceOwnerUsername,
    RevocationUrl, Scope, StandardRevocableToken, TokenResponse, TokenUrl, ureq,
};
use std::fmt::Debug;

const LIBRARY: &str = "oauth2 (Rust) 5.0.0";

fn step<T, E: Debug>(what: &str, result: Result<T, E>) -> Option<T> {
    match result {
        Ok(value) => {
            println!("{LIBRARY}\t{what}\tok");
            Some(value)
        }
        Err(error) => {
            println!("{LIBRARY}\t{what}\t{error:?}");
            None
        }
    }
}

fn call(http: &ureq::Agent, issuer: &str, token: &str) -> Result<(), Box<ureq::Error>> {
    let answer = http
        .get(&format!("{issuer}/private/custom"))
        .set("Authorization", &format!("Bearer {token}"))
        .call();
    answer.map(|_| ()).map_err(Box::new)
}

fn main() {
    let issuer = std::env::var("ISSUER").expect("ISSUER");
    let http = ureq::builder().redirects(0).build();
    let endpoint = TokenUrl::new(format!("{issuer}/token")).expect("a URL");
    let client = BasicClient::new(ClientId::new("demo".into()))
        .set_client_secret(ClientSecret::new("demo-secret".into()))
        .set_token_uri(endpoint.clone())
        .set_revocation_url(RevocationUrl::new(format!("{issuer}/token/revoke")).expect("a URL"));
    let user = ResourceOwnerUsername::new("alice".into());
    let password = ResourceOwnerPassword::new("wonderland".into());
    let first = step(
        "login",
        client.exchange_password(&user, &password).add_scope(Scope::new("read".into())).request(&http),
    );
    let wrong = client.clone().set_client_secret(ClientSecret::new("wrong".into()));
    let refused = match wrong.exchange_password(&user, &password).request(&http) {
        Ok(_) => Err("a wrong secret is taken".to_owned()),
        Err(error) if format!("{error:?}").contains("401") => Ok(()),
        Err(error) => Err(format!("{error:?}")),
    };
    step("wrong secret refused", refused);
    let Some(first) = first else { return };
    step("call", call(&http, &issuer, first.access_token().secret()));
    let old = RefreshToken::new(first.refresh_token().expect("a refresh token").secret().clone());
    let second = step("refresh", client.exchange_refresh_token(&old).request(&http));
    let Some(second) = second else { return };
    step("call again", call(&http, &issuer, second.access_token().secret()));
    let service = BasicClient::new(ClientId::new("demo".into()))
        .set_client_secret(ClientSecret::new("demo-secret".into()))
        .set_token_uri(endpoint);
    step("client_credentials", service.exchange_client_credentials().request(&http));
    // The crate sends no request to an endpoint without TLS: that of revocation has to be https.
    let token: StandardRevocableToken = second.access_token().into();
    if issuer.starts_with("https:") {
        step("revoke", client.revoke_token(token).expect("a request").request(&http));
    }
}
