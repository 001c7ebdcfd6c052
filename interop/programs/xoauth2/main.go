// A device with golang.org/x/oauth2, as its manual shows it. Told by the environment, says JSON lines.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

func say(event string, content any) {
	line, _ := json.Marshal(map[string]any{event: content})
	fmt.Println(string(line))
}

func answer(t *oauth2.Token) map[string]any {
	members := map[string]any{"access_token": t.AccessToken, "refresh_token": t.RefreshToken}
	if id, ok := t.Extra("id_token").(string); ok {
		members["id_token"] = id
	}
	return members
}

func run() error {
	ctx := context.Background()
	style, _ := strconv.Atoi(os.Getenv("AUTH_STYLE"))
	config := oauth2.Config{
		ClientID:     os.Getenv("CLIENT_ID"),
		ClientSecret: os.Getenv("CLIENT_SECRET"),
		Scopes:       strings.Fields(os.Getenv("SCOPE")),
		Endpoint: oauth2.Endpoint{
			DeviceAuthURL: os.Getenv("DEVICE_ENDPOINT"),
			TokenURL:      os.Getenv("TOKEN_ENDPOINT"),
			AuthStyle:     oauth2.AuthStyle(style),
		},
	}
	start, err := config.DeviceAuth(ctx)
	if err != nil {
		return err
	}
	say("code", start)
	token, err := config.DeviceAccessToken(ctx, start)
	if err != nil {
		return err
	}
	say("tokens", answer(token))
	if strings.Contains(os.Getenv("STEPS"), "refresh") {
		token.Expiry = time.Now().Add(-time.Hour)
		again, err := config.TokenSource(ctx, token).Token()
		if err != nil {
			return err
		}
		say("refreshed", answer(again))
	}
	return nil
}

func main() {
	if err := run(); err != nil {
		say("refused", err.Error())
		os.Exit(1)
	}
}
