import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.core.DelegatingOAuth2TokenValidator;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtClaimValidator;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtTypeValidator;
import org.springframework.security.oauth2.jwt.JwtValidators;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** As spring-resource, with a decoder that knows RFC 9068: the one of docs/resource-servers.md. */
@SpringBootConfiguration
@EnableAutoConfiguration
@RestController
public class Api {
  // <page>
  @Bean
  JwtDecoder jwtDecoder(@Value("${api.issuer}") String issuer, @Value("${api.audience}") String audience) {
    // Spring Security's own decoder takes `typ: JWT` alone.
    NimbusJwtDecoder decoder = NimbusJwtDecoder.withIssuerLocation(issuer).validateType(false).build();
    decoder.setJwtValidator(new DelegatingOAuth2TokenValidator<>(
        new JwtTypeValidator("at+jwt"),
        JwtValidators.createDefaultWithIssuer(issuer),
        new JwtClaimValidator<List<String>>("aud", (values) -> values != null && values.contains(audience)),
        new JwtClaimValidator<Object>("cnf", (key) -> key == null)));
    return decoder;
  }
  // </page>

  @GetMapping("/me")
  public String me(@AuthenticationPrincipal Jwt token) {
    return token.getSubject();
  }

  public static void main(String[] args) throws Exception {
    SpringApplication application = new SpringApplication(Api.class);
    application.setDefaultProperties(Map.of(
        "server.port", "0", "server.address", "127.0.0.1", "logging.level.root", "WARN", "spring.main.banner-mode", "off",
        "api.issuer", System.getenv("ISSUER"), "api.audience", System.getenv("AUDIENCE")));
    ConfigurableApplicationContext context = application.run(args);
    String port = context.getEnvironment().getProperty("local.server.port");
    HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/me"))
        .header("Authorization", "Bearer " + System.getenv("TOKEN")).build();
    HttpResponse<String> response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    boolean isTaken = response.statusCode() == 200;
    String why = response.statusCode() + " " + response.headers().firstValue("WWW-Authenticate").orElse("");
    System.out.println(isTaken ? "{\"taken\":\"" + response.body() + "\"}" : "{\"refused\":\"" + why.replace("\"", "'") + "\"}");
    System.exit(isTaken ? 0 : 1);
  }
}
