package tracking

import (
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/affiliatekit/affiliatekit/httpadapter/bots"
)

// How many user agents are remembered, and how much of one is looked at, in
// bytes: together a few MiB.
const (
	maxUserAgents      = 8192
	maxUserAgentLength = 512
)

// botDetector remembers what isBot says about user agents: a few thousand of
// them make nearly all requests. It is safe for concurrent use.
type botDetector struct {
	ask   func(userAgent string) bool
	known *lru.Cache[string, bool]
}

// newBotDetector asks the function about each user agent once; nil: bots.IsBot.
func newBotDetector(ask func(userAgent string) bool) (*botDetector, error) {
	if ask == nil {
		ask = bots.IsBot
	}
	known, err := lru.New[string, bool](maxUserAgents)
	if err != nil {
		return nil, err
	}
	return &botDetector{ask: ask, known: known}, nil
}

// isBot reports whether the user agent says that it is a program.
func (d *botDetector) isBot(userAgent string) bool {
	if len(userAgent) > maxUserAgentLength {
		userAgent = userAgent[:maxUserAgentLength]
	}
	if bot, ok := d.known.Get(userAgent); ok {
		return bot
	}
	bot := d.ask(userAgent)
	d.known.Add(strings.Clone(userAgent), bot)
	return bot
}
