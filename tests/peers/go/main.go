// Gets tokens with Go's azidentity, or with the authorizer of Terraform's provider, and prints them as a JSON list.
//
//	clients KIND CLIENT_ID RESOURCE…
//
// KIND is managed, default or terraform; CLIENT_ID may be empty.
package main

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/hashicorp/go-azure-sdk/sdk/auth"
	"github.com/hashicorp/go-azure-sdk/sdk/environments"
)

type answer struct {
	Token   string `json:"token,omitempty"`
	Expires int64  `json:"expires,omitempty"`
	Text    string `json:"text,omitempty"`
}

func main() {
	log.SetOutput(io.Discard)
	kind, client, resources := os.Args[1], os.Args[2], os.Args[3:]
	answers := []answer{}
	for _, resource := range resources {
		answers = append(answers, get(kind, client, resource))
	}
	json.NewEncoder(os.Stdout).Encode(answers)
}

func get(kind, client, resource string) answer {
	if kind == "terraform" {
		return terraform(client, resource)
	}
	var credential azcore.TokenCredential
	var err error
	if kind == "managed" {
		options := azidentity.ManagedIdentityCredentialOptions{}
		if client != "" {
			options.ID = azidentity.ClientID(client)
		}
		credential, err = azidentity.NewManagedIdentityCredential(&options)
	} else {
		credential, err = azidentity.NewDefaultAzureCredential(nil)
	}
	if err != nil {
		return answer{Text: err.Error()}
	}
	scopes := policy.TokenRequestOptions{Scopes: []string{resource + "/.default"}}
	token, err := credential.GetToken(context.Background(), scopes)
	if err != nil {
		return answer{Text: err.Error()}
	}
	return answer{Token: token.Token, Expires: token.ExpiresOn.Unix()}
}

// As the provider's configuration reads the environment.
func terraform(client, resource string) answer {
	credentials := auth.Credentials{
		Environment:                              *environments.AzurePublic(),
		ClientID:                                 client,
		TenantID:                                 os.Getenv("ARM_TENANT_ID"),
		CustomManagedIdentityEndpoint:            os.Getenv("ARM_MSI_ENDPOINT"),
		EnableAuthenticatingUsingManagedIdentity: os.Getenv("ARM_USE_MSI") == "true",
		EnableAuthenticatingUsingAzureCLI:        os.Getenv("ARM_USE_CLI") == "true",
	}
	api := environments.NewApiEndpoint("test", resource, nil).WithResourceIdentifier(resource)
	authorizer, err := auth.NewAuthorizerFromCredentials(context.Background(), credentials, api)
	if err != nil {
		return answer{Text: err.Error()}
	}
	token, err := authorizer.Token(context.Background(), nil)
	if err != nil {
		return answer{Text: err.Error()}
	}
	return answer{Token: token.AccessToken, Expires: token.Expiry.Unix()}
}
