package main

import (
	"context"

	"golang.org/x/oauth2"

	"github.com/affiliatekit/affiliatekit/adsync"
	"github.com/affiliatekit/affiliatekit/adsync/adsynctest"
	"github.com/affiliatekit/affiliatekit/adsync/facebook"
	"github.com/affiliatekit/affiliatekit/adsync/google"
)

// demoPage is the Facebook page that the sample ads speak for.
const demoPage = "3001"

// demoDrivers speak to fakes of the ad services within this process: no call
// leaves it. A host gives its drivers a token source of its own.
func demoDrivers() ([]adsync.Driver, error) {
	token := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "demo"})
	f, err := facebook.New(facebook.Options{
		Token: token, HTTP: adsynctest.Client(adsynctest.NewFacebook(adsynctest.FacebookOptions{})), Page: func(string) string { return demoPage },
	})
	if err != nil {
		return nil, err
	}
	g, err := google.New(google.Options{Token: token, HTTP: adsynctest.Client(adsynctest.NewGoogle(adsynctest.GoogleOptions{}))})
	if err != nil {
		return nil, err
	}
	return []adsync.Driver{f, g}, nil
}

// engineOptions are those of the sync engine: with -demo its services are fakes,
// without it there is no engine.
func (c config) engineOptions(observe func(adsync.Report), failed func(error)) (adsync.EngineOptions, error) {
	if !c.demo {
		return adsync.EngineOptions{}, nil
	}
	drivers, err := demoDrivers()
	return adsync.EngineOptions{Drivers: drivers, Observe: observe, Failed: failed}, err
}

// sync works the sync jobs off until the context ends, if there is an engine.
func (a *app) sync(ctx context.Context) error {
	if a.kit.AdSyncEngine == nil {
		return nil
	}
	return a.kit.AdSyncEngine.Run(ctx)
}
