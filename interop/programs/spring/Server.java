import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.ImmutableJWKSet;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.proc.SecurityContext;
import java.nio.file.Files;
import java.nio.file.Path;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.http.MediaType;
import org.springframework.security.config.annotation.web.configuration.WebSecurityCustomizer;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.core.userdetails.UserDetails;
import org.springframework.security.core.userdetails.UserDetailsService;
import org.springframework.security.core.userdetails.UsernameNotFoundException;
import org.springframework.security.oauth2.core.AuthorizationGrantType;
import org.springframework.security.oauth2.core.OAuth2AuthenticationException;
import org.springframework.security.oauth2.core.OAuth2ErrorCodes;
import org.springframework.security.oauth2.core.oidc.endpoint.OidcParameterNames;
import org.springframework.security.oauth2.server.authorization.token.JwtEncodingContext;
import org.springframework.security.oauth2.server.authorization.token.OAuth2TokenCustomizer;
import org.springframework.security.provisioning.InMemoryUserDetailsManager;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * Spring Authorization Server as Spring Boot starts it from `application.yaml`: two people, everything in memory.
 * `/control/…` is the administrator: disable, delete and enable an account.
 */
@SpringBootConfiguration
@EnableAutoConfiguration
public class Server {
  public static void main(String[] args) {
    SpringApplication.run(Server.class, args);
  }

  @Bean
  InMemoryUserDetailsManager people() {
    return new InMemoryUserDetailsManager(person("alice", true), person("bob", true));
  }

  static UserDetails person(String name, boolean isActive) {
    return User.withUsername(name).password("{noop}" + name + "-password").roles("USER").disabled(!isActive).build();
  }

  @Bean
  JWKSource<SecurityContext> keys() throws Exception {
    return new ImmutableJWKSet<>(new JWKSet(JWK.parse(Files.readString(Path.of(System.getenv("KEY_FILE"))))));
  }

  /** By itself it puts no name and no address into its tokens, and its refresh does not look at the account. */
  @Bean
  OAuth2TokenCustomizer<JwtEncodingContext> claims(InMemoryUserDetailsManager people) {
    return context -> {
      boolean isRefresh = AuthorizationGrantType.REFRESH_TOKEN.equals(context.getAuthorizationGrantType());
      String name = context.getPrincipal().getName();
      if (isRefresh && !stands(people, name)) throw new OAuth2AuthenticationException(OAuth2ErrorCodes.INVALID_GRANT);
      if (OidcParameterNames.ID_TOKEN.equals(context.getTokenType().getValue()))
        context.getClaims().claim("name", name).claim("email", name + "@corp.example");
    };
  }

  /** A deleted account too is to be answered with invalid_grant. */
  static boolean stands(UserDetailsService people, String name) {
    try {
      return people.loadUserByUsername(name).isEnabled();
    } catch (UsernameNotFoundException gone) {
      return false;
    }
  }

  @Bean
  WebSecurityCustomizer administratorNeedsNoSignIn() {
    return web -> web.ignoring().requestMatchers("/control/**");
  }

  @RestController
  static class Pages {
    private final InMemoryUserDetailsManager people;

    Pages(InMemoryUserDetailsManager people) {
      this.people = people;
    }

    @PostMapping("/control/{what}/{name}")
    void control(@PathVariable("what") String what, @PathVariable("name") String name) {
      people.deleteUser(name);
      if (!what.equals("delete")) people.createUser(person(name, what.equals("enable")));
    }

    /** With a code in the query Spring answers this address; the page that asks for one is the application's. */
    @GetMapping(path = "/oauth2/device_verification", produces = MediaType.TEXT_HTML_VALUE)
    String enterCode() {
      return "<!doctype html><title>Device</title><h1>Type the code</h1><form><input name=\"user_code\"><button>Go on</button></form>";
    }

    @GetMapping(path = "/", produces = MediaType.TEXT_HTML_VALUE)
    String done() {
      return "<!doctype html><title>Done</title><h1>Done</h1>";
    }
  }
}
