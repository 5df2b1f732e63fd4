import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import com.nimbusds.oauth2.sdk.AuthorizationGrant;
import com.nimbusds.oauth2.sdk.ClientCredentialsGrant;
import com.nimbusds.oauth2.sdk.RefreshTokenGrant;
import com.nimbusds.oauth2.sdk.ResourceOwnerPasswordCredentialsGrant;
import com.nimbusds.oauth2.sdk.Scope;
import com.nimbusds.oauth2.sdk.TokenRequest;
import com.nimbusds.oauth2.sdk.TokenResponse;
import com.nimbusds.oauth2.sdk.TokenRevocationRequest;
import com.nimbusds.oauth2.sdk.as.AuthorizationServerMetadata;
import com.nimbusds.oauth2.sdk.auth.ClientSecretBasic;
import com.nimbusds.oauth2.sdk.auth.Secret;
import com.nimbusds.oauth2.sdk.http.HTTPRequest;
import com.nimbusds.oauth2.sdk.id.ClientID;
import com.nimbusds.oauth2.sdk.id.Issuer;
import com.nimbusds.oauth2.sdk.token.AccessToken;
import com.nimbusds.oauth2.sdk.token.Tokens;
import java.net.URI;
import java.util.Set;
import java.util.concurrent.Callable;

/** Nimbus' OAuth client with its defaults, and its JWT processor as a service that verifies. */
final class Clients {
  private static final String ISSUER = System.getenv("ISSUER");
  private static final String SDK = "Nimbus oauth2-oidc-sdk 11.31";

  private static <T> T step(String what, Callable<T> run) {
    try {
      T result = run.call();
      System.out.println(SDK + "\t" + what + "\tok");
      return result;
    } catch (Exception error) {
      System.out.println(SDK + "\t" + what + "\t" + String.valueOf(error).replaceAll("\\s+", " "));
      return null;
    }
  }

  private static Tokens ask(URI endpoint, String id, String secret, AuthorizationGrant grant, Scope scope)
      throws Exception {
    var client = new ClientSecretBasic(new ClientID(id), new Secret(secret));
    var request = new TokenRequest.Builder(endpoint, client, grant).scope(scope).build();
    var response = TokenResponse.parse(request.toHTTPRequest().send());
    if (!response.indicatesSuccess())
      throw new IllegalStateException(response.toErrorResponse().getErrorObject().toString());
    return response.toSuccessResponse().getTokens();
  }

  private static Object call(AccessToken token) throws Exception {
    var request = new HTTPRequest(HTTPRequest.Method.GET, URI.create(ISSUER + "/private/custom"));
    request.setAuthorization(token.toAuthorizationHeader());
    int status = request.send().getStatusCode();
    if (status != 200) throw new IllegalStateException("status " + status);
    return status;
  }

  public static void main(String[] args) throws Exception {
    var metadata = step("discovery", () -> AuthorizationServerMetadata.resolve(new Issuer(ISSUER)));
    var endpoint = metadata.getTokenEndpointURI();
    var read = new Scope("read");
    var first = step("login", () -> ask(endpoint, "demo", "demo-secret",
        new ResourceOwnerPasswordCredentialsGrant("alice", new Secret("wonderland")), read));
    step("wrong secret refused", () -> {
      try {
        ask(endpoint, "demo", "wrong",
            new ResourceOwnerPasswordCredentialsGrant("alice", new Secret("wonderland")), read);
      } catch (IllegalStateException refused) {
        if (refused.getMessage().contains("invalid_client")) return refused;
        throw refused;
      }
      throw new IllegalStateException("a wrong secret is taken");
    });
    step("call", () -> call(first.getAccessToken()));
    var second = step("refresh", () -> ask(endpoint, "demo", "demo-secret",
        new RefreshTokenGrant(first.getRefreshToken()), null));
    step("call again", () -> call(second.getAccessToken()));
    step("client_credentials", () -> ask(endpoint, "demo", "demo-secret", new ClientCredentialsGrant(), null));

    var processor = new DefaultJWTProcessor<SecurityContext>();
    processor.setJWSTypeVerifier(new DefaultJOSEObjectTypeVerifier<>(JOSEObjectType.JWT, new JOSEObjectType("rt+jwt")));
    processor.setJWSKeySelector(new JWSVerificationKeySelector<>(JWSAlgorithm.ES256,
        JWKSourceBuilder.create(metadata.getJWKSetURI().toURL()).build()));
    processor.setJWTClaimsSetVerifier(new DefaultJWTClaimsVerifier<>(System.getenv("AUDIENCE"),
        new JWTClaimsSet.Builder().issuer(ISSUER).build(), Set.of("sub", "exp")));
    step("verify", () -> processor.process(second.getAccessToken().getValue(), null));
    step("refresh token refused", () -> {
      try {
        processor.process(second.getRefreshToken().getValue(), null);
      } catch (com.nimbusds.jwt.proc.BadJWTException refused) {
        if (refused.getMessage().contains("aud")) return refused;
        throw refused;
      }
      throw new IllegalStateException("a refresh token is taken");
    });
    step("revoke", () -> {
      var client = new ClientSecretBasic(new ClientID("demo"), new Secret("demo-secret"));
      var request = new TokenRevocationRequest(metadata.getRevocationEndpointURI(), client, second.getRefreshToken());
      int status = request.toHTTPRequest().send().getStatusCode();
      if (status != 200) throw new IllegalStateException("status " + status);
      return status;
    });
  }
}
