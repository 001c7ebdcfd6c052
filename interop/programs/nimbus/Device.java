import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.oauth2.sdk.*;
import com.nimbusds.oauth2.sdk.auth.*;
import com.nimbusds.oauth2.sdk.device.*;
import com.nimbusds.oauth2.sdk.http.HTTPResponse;
import com.nimbusds.oauth2.sdk.id.ClientID;
import com.nimbusds.oauth2.sdk.id.Issuer;
import com.nimbusds.oauth2.sdk.token.RefreshToken;
import com.nimbusds.openid.connect.sdk.OIDCTokenResponse;
import com.nimbusds.openid.connect.sdk.OIDCTokenResponseParser;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import com.nimbusds.openid.connect.sdk.validators.IDTokenValidator;
import com.nimbusds.jose.util.DefaultResourceRetriever;
import java.net.URI;
import java.net.URL;
import java.util.LinkedHashMap;
import java.util.Map;
import net.minidev.json.JSONObject;

/** A device with the Nimbus SDK, as its manual shows it. Told by the environment, says JSON lines. */
public class Device {
  static void say(String event, Object content) {
    System.out.println(new JSONObject(Map.of(event, content)).toJSONString());
  }

  static String told(String name) {
    return System.getenv().getOrDefault(name, "");
  }

  static Map<String, Object> answer(OIDCTokenResponse response) {
    Map<String, Object> members = new LinkedHashMap<>();
    members.put("access_token", response.getOIDCTokens().getAccessToken().getValue());
    if (response.getOIDCTokens().getRefreshToken() != null)
      members.put("refresh_token", response.getOIDCTokens().getRefreshToken().getValue());
    if (response.getOIDCTokens().getIDTokenString() != null)
      members.put("id_token", response.getOIDCTokens().getIDTokenString());
    return members;
  }

  /** With a secret or a key it proves to be the client; without, it names itself. */
  static ClientAuthentication proof(ClientID client) throws Exception {
    Secret secret = new Secret(told("CLIENT_SECRET"));
    switch (told("AUTH_METHOD")) {
      case "client_secret_basic":
        return new ClientSecretBasic(client, secret);
      case "client_secret_post":
        return new ClientSecretPost(client, secret);
      case "private_key_jwt":
        ECKey key = ECKey.parse(told("PRIVATE_JWK"));
        // Gatehouse wants assertions that are for the issuer alone, not for an endpoint.
        URI audience = URI.create(told("ISSUER"));
        return new PrivateKeyJWT(client, audience, JWSAlgorithm.ES256, key.toPrivateKey(), key.getKeyID(), null);
      default:
        return null;
    }
  }

  static HTTPResponse ask(URI endpoint, ClientID client, AuthorizationGrant grant) throws Exception {
    ClientAuthentication proof = proof(client);
    TokenRequest.Builder request =
        proof == null ? new TokenRequest.Builder(endpoint, client, grant) : new TokenRequest.Builder(endpoint, proof, grant);
    return request.build().toHTTPRequest().send();
  }

  static void run() throws Exception {
    OIDCProviderMetadata metadata = OIDCProviderMetadata.resolve(new Issuer(told("ISSUER")));
    ClientID clientID = new ClientID(told("CLIENT_ID"));
    URI token = metadata.getTokenEndpointURI();
    ClientAuthentication proof = proof(clientID);
    DeviceAuthorizationRequest request =
        (proof == null ? new DeviceAuthorizationRequest.Builder(clientID) : new DeviceAuthorizationRequest.Builder(proof))
            .scope(Scope.parse(told("SCOPE")))
            .endpointURI(metadata.getDeviceAuthorizationEndpointURI())
            .build();
    DeviceAuthorizationResponse asked = DeviceAuthorizationResponse.parse(request.toHTTPRequest().send());
    if (!asked.indicatesSuccess()) throw new Exception(asked.toErrorResponse().getErrorObject().toString());
    DeviceAuthorizationSuccessResponse start = asked.toSuccessResponse();
    say("code", Map.of("user_code", start.getUserCode().getValue(), "verification_uri", start.getVerificationURI().toString()));
    long interval = start.getInterval();
    OIDCTokenResponse tokens = null;
    while (tokens == null) {
      Thread.sleep(interval * 1000);
      HTTPResponse polled = ask(token, clientID, new DeviceCodeGrant(start.getDeviceCode()));
      TokenResponse response = OIDCTokenResponseParser.parse(polled);
      if (response.indicatesSuccess()) {
        tokens = (OIDCTokenResponse) response.toSuccessResponse();
        continue;
      }
      ErrorObject error = response.toErrorResponse().getErrorObject();
      if (error.getCode().equals("slow_down")) interval += 5;
      else if (!error.getCode().equals("authorization_pending")) throw new Exception(error.toString());
    }
    // By itself it waits half a second for the keys.
    DefaultResourceRetriever patient = new DefaultResourceRetriever(5000, 5000);
    URL keys = metadata.getJWKSetURI().toURL();
    new IDTokenValidator(metadata.getIssuer(), clientID, JWSAlgorithm.RS256, keys, patient)
        .validate(tokens.getOIDCTokens().getIDToken(), null);
    say("tokens", answer(tokens));
    if (told("STEPS").equals("refresh")) {
      RefreshToken refresh = tokens.getOIDCTokens().getRefreshToken();
      TokenResponse again = OIDCTokenResponseParser.parse(ask(token, clientID, new RefreshTokenGrant(refresh)));
      if (!again.indicatesSuccess()) throw new Exception(again.toErrorResponse().getErrorObject().toString());
      say("refreshed", answer((OIDCTokenResponse) again.toSuccessResponse()));
    }
  }

  public static void main(String[] args) {
    try {
      run();
    } catch (Exception error) {
      say("refused", String.valueOf(error));
      System.exit(1);
    }
  }
}
