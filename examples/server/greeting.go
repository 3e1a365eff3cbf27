package main

import "fmt"

// greeting says where the server is and what to do next. Programs read the line
// of JSON instead.
func greeting(c config, line listening, address string) string {
	if !c.demo {
		return fmt.Sprintf("The console is at %s/ (the password is an access token of the operator, such as %s).\n", address, adminTokenVariable)
	}
	return fmt.Sprintf("The console is at %s/ and the APIs are described at %s/docs. Next, make a link in another terminal:\n"+
		"  curl -H 'Authorization: Bearer %s' --json '{\"url\": \"https://acme.example/shoes\"}' %s/v3/users/%d/affiliate-links\n",
		address, address, line.Tokens["creator"], address, line.IDs["users"]["anna"])
}
