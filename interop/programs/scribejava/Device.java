import com.github.scribejava.core.builder.ServiceBuilder;
import com.github.scribejava.core.builder.api.DefaultApi20;
import com.github.scribejava.core.model.DeviceAuthorization;
import com.github.scribejava.core.model.OAuth2AccessToken;
import com.github.scribejava.core.oauth.OAuth20Service;
import com.github.scribejava.core.oauth2.clientauthentication.ClientAuthentication;
import com.github.scribejava.core.oauth2.clientauthentication.RequestBodyAuthenticationScheme;

/** A device with ScribeJava, as its manual shows it. Told by the environment, says JSON lines. */
public class Device {
  static String told(String name) {
    return System.getenv().getOrDefault(name, "");
  }

  static String quoted(String text) {
    return "\"" + String.valueOf(text).replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", " ") + "\"";
  }

  static void sayTokens(String event, OAuth2AccessToken token) {
    System.out.println("{\"" + event + "\":{\"access_token\":" + quoted(token.getAccessToken())
        + ",\"refresh_token\":" + quoted(token.getRefreshToken()) + "}}");
  }

  /** A provider that is not among those that it knows. */
  static class Gatehouse extends DefaultApi20 {
    @Override
    public String getAccessTokenEndpoint() {
      return told("TOKEN_ENDPOINT");
    }

    @Override
    protected String getAuthorizationBaseUrl() {
      return told("ISSUER") + "/device";
    }

    @Override
    public String getDeviceAuthorizationEndpoint() {
      return told("DEVICE_ENDPOINT");
    }

    @Override
    public ClientAuthentication getClientAuthentication() {
      return RequestBodyAuthenticationScheme.instance();
    }
  }

  public static void main(String[] args) {
    try (OAuth20Service service =
        new ServiceBuilder(told("CLIENT_ID")).defaultScope(told("SCOPE")).build(new Gatehouse())) {
      DeviceAuthorization start = service.getDeviceAuthorizationCodes();
      System.out.println("{\"code\":{\"user_code\":" + quoted(start.getUserCode())
          + ",\"verification_uri\":" + quoted(start.getVerificationUri()) + "}}");
      OAuth2AccessToken token = service.pollAccessTokenDeviceAuthorizationGrant(start);
      sayTokens("tokens", token);
      if (told("STEPS").equals("refresh")) sayTokens("refreshed", service.refreshAccessToken(token.getRefreshToken()));
      System.exit(0);
    } catch (Exception error) {
      System.out.println("{\"refused\":" + quoted(String.valueOf(error)) + "}");
      System.exit(1);
    }
  }
}
