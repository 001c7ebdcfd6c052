// An API that verifies an access token with go-oidc, as its manual shows it. Told by the environment, says JSON lines.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/coreos/go-oidc/v3/oidc"
)

func say(event string, content any) {
	line, _ := json.Marshal(map[string]any{event: content})
	fmt.Println(string(line))
}

func run() error {
	ctx := context.Background()
	provider, err := oidc.NewProvider(ctx, os.Getenv("ISSUER"))
	if err != nil {
		return err
	}
	verifier := provider.Verifier(&oidc.Config{ClientID: os.Getenv("AUDIENCE")})
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
