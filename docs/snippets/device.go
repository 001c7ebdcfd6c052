// Signs this device in with Go's standard library (RFC 8628). Usage: go run device.go ISSUER CLIENT_ID; the token goes to stdout.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

type answer struct {
	DeviceAuthorizationEndpoint string `json:"device_authorization_endpoint"`
	TokenEndpoint               string `json:"token_endpoint"`
	DeviceCode                  string `json:"device_code"`
	UserCode                    string `json:"user_code"`
	VerificationURI             string `json:"verification_uri"`
	Interval                    int    `json:"interval"`
	AccessToken                 string `json:"access_token"`
	Error                       string `json:"error"`
}

var client = &http.Client{Timeout: 10 * time.Second}

func read(response *http.Response, err error) (answer, error) {
	var body answer
	if err != nil {
		return body, err
	}
	defer response.Body.Close()
	return body, json.NewDecoder(response.Body).Decode(&body)
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("Usage: device ISSUER CLIENT_ID")
	}
	issuer, id := strings.TrimSuffix(os.Args[1], "/"), os.Args[2]
	metadata, err := read(client.Get(issuer + "/.well-known/openid-configuration"))
	if err != nil {
		log.Fatal(err)
	}
	scope := os.Getenv("SCOPE")
	if scope == "" {
		scope = "openid"
	}
	start, err := read(client.PostForm(metadata.DeviceAuthorizationEndpoint, url.Values{"client_id": {id}, "scope": {scope}}))
	if err != nil || start.Error != "" {
		log.Fatal("Refused: ", start.Error, err)
	}
	log.Printf("Open %s and type %s", start.VerificationURI, start.UserCode)

	interval := time.Duration(max(start.Interval, 1)) * time.Second
	for {
		time.Sleep(interval)
		poll, err := read(client.PostForm(metadata.TokenEndpoint, url.Values{
			"grant_type":  {"urn:ietf:params:oauth:grant-type:device_code"},
			"device_code": {start.DeviceCode},
			"client_id":   {id},
		}))
		switch {
		case err != nil, poll.Error == "authorization_pending", poll.Error == "temporarily_unavailable":
			// No answer is no reason to stop: the next poll may have one.
		case poll.Error == "slow_down":
			interval += 5 * time.Second
		case poll.Error == "":
			fmt.Println(poll.AccessToken)
			return
		default:
			log.Fatal("Refused: ", poll.Error)
		}
	}
}
