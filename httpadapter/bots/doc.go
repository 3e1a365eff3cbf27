// Package bots tells programs from people by the User-Agent header: crawlers,
// link previews of messengers, HTTP libraries, monitors and headless browsers
// are programs. People who open a link within an app (Instagram, TikTok,
// Facebook, Snapchat, Pinterest, WeChat, Line) are people: the app's browser
// names the app, and that alone makes no program of it.
//
// Clicks of programs are kept and never paid. The redirect uses [IsBot] unless
// the host gives httpadapter.Options.Bots, which may call it too:
//
//	options.Bots = func(userAgent string) bool {
//		return bots.IsBot(userAgent) || strings.Contains(userAgent, "OurUptimeCheck/")
//	}
//
// # Where the lists come from
//
// Nobody can keep such a list alone. patterns.go is generated from two that are
// kept in public, crawler-user-agents and isbot, and says which versions;
// package mileusna/useragent has a third opinion. generate.go leaves out the
// entries that match real phones and apps as well, and names each of them.
//
// A user agent is what a program says of itself. One that claims to be a browser
// is not found here.
package bots
