// Go's OAuth client with its defaults, and go-oidc as a service that verifies.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

var issuer, audience = os.Getenv("ISSUER"), os.Getenv("AUDIENCE")

func named(module, short string) string {
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			return short + " " + strings.TrimPrefix(dependency.Version, "v")
		}
	}
	return short
}

func step(library, what string, run func() error) {
	result := "ok"
	if err := run(); err != nil {
		result = strings.Join(strings.Fields(err.Error()), " ")
	}
	fmt.Printf("%s\t%s\t%s\n", library, what, result)
}

func call(client *http.Client) error {
	answer, err := client.Get(issuer + "/private/custom")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", answer.StatusCode)
	}
	return nil
}

func main() {
	ctx := context.Background()
	x := named("golang.org/x/oauth2", "golang.org/x/oauth2")
	verifying := named("github.com/coreos/go-oidc/v3", "go-oidc")

	var provider *oidc.Provider
	step(verifying, "discovery", func() (err error) {
		provider, err = oidc.NewProvider(ctx, issuer)
		return err
	})
	config := oauth2.Config{ClientID: "demo", ClientSecret: "demo-secret", Endpoint: provider.Endpoint(), Scopes: []string{"read"}}
	var token *oauth2.Token
	step(x, "login", func() (err error) {
		token, err = config.PasswordCredentialsToken(ctx, "alice", "wonderland")
		return err
	})
	step(x, "wrong secret refused", func() error {
		wrong := config
		wrong.ClientSecret = "wrong"
		_, err := wrong.PasswordCredentialsToken(ctx, "alice", "wonderland")
		if err == nil {
			return fmt.Errorf("a wrong secret is taken")
		}
		if !strings.Contains(err.Error(), "invalid_client") {
			return err
		}
		return nil
	})
	step(x, "call", func() error { return call(config.Client(ctx, token)) })
	first := token.RefreshToken
	step(x, "refresh", func() (err error) {
		old := *token
		old.Expiry = time.Now().Add(-time.Hour)
		token, err = config.TokenSource(ctx, &old).Token()
		if err == nil && token.RefreshToken == first {
			err = fmt.Errorf("the refresh token is the old one")
		}
		return err
	})
	step(x, "call again", func() error { return call(config.Client(ctx, token)) })
	step(x, "client_credentials", func() error {
		service := clientcredentials.Config{ClientID: "demo", ClientSecret: "demo-secret", TokenURL: provider.Endpoint().TokenURL}
		return call(service.Client(ctx))
	})

	verifier := provider.Verifier(&oidc.Config{ClientID: audience, SupportedSigningAlgs: []string{oidc.ES256}})
	step(verifying, "verify", func() error {
		_, err := verifier.Verify(ctx, token.AccessToken)
		return err
	})
	step(verifying, "refresh token refused", func() error {
		_, err := verifier.Verify(ctx, token.RefreshToken)
		if err == nil {
			return fmt.Errorf("a refresh token is taken")
		}
		if !strings.Contains(err.Error(), "audience") {
			return err
		}
		return nil
	})
}
