// An API that verifies an access token with go-oidc: the function of docs/resource-servers.md. Told by the environment, says JSON lines.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/coreos/go-oidc/v3/oidc"
)

// <page>
func newVerifier(ctx context.Context, issuer, audience string) (*oidc.IDTokenVerifier, error) {
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		return nil, err
	}
	// What go-oidc calls the client's id is the audience that it looks for.
	return provider.Verifier(&oidc.Config{ClientID: audience, SupportedSigningAlgs: []string{oidc.RS256, oidc.ES256}}), nil
}

// </page>

func say(event string, content any) {
	line, _ := json.Marshal(map[string]any{event: content})
	fmt.Println(string(line))
}

func run() error {
	ctx := context.Background()
	verifier, err := newVerifier(ctx, os.Getenv("ISSUER"), os.Getenv("AUDIENCE"))
	if err != nil {
		return err
	}
	token, err := verifier.Verify(ctx, os.Getenv("TOKEN"))
	if err != nil {
		return err
	}
	say("taken", token.Subject)
	return nil
}

func main() {
	if err := run(); err != nil {
		say("refused", err.Error())
		os.Exit(1)
	}
}
