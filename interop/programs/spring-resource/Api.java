import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** An API of Spring Boot's, set up by two properties and nothing else. It calls itself once, and says how that went. */
@SpringBootConfiguration
@EnableAutoConfiguration
@RestController
public class Api {
  @GetMapping("/me")
  public String me(@AuthenticationPrincipal Jwt token) {
    return token.getSubject();
  }

  public static void main(String[] args) throws Exception {
    SpringApplication application = new SpringApplication(Api.class);
    application.setDefaultProperties(Map.of(
        "server.port", "0", "server.address", "127.0.0.1", "logging.level.root", "WARN", "spring.main.banner-mode", "off",
        "spring.security.oauth2.resourceserver.jwt.issuer-uri", System.getenv("ISSUER"),
        "spring.security.oauth2.resourceserver.jwt.audiences", System.getenv("AUDIENCE")));
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
