package httpadapter

import (
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/mileusna/useragent"
)

// How many user agents are remembered, and how much of one is looked at, in
// bytes: together a few MiB.
const (
	maxUserAgents      = 8192
	maxUserAgentLength = 512
)

// botDetector tells programs from people by the user agent. Taking one apart
// costs microseconds, and a few thousand of them make nearly all requests, so
// that the answers are remembered. It is safe for concurrent use.
type botDetector struct {
	known *lru.Cache[string, bool]
}

func newBotDetector() (*botDetector, error) {
	known, err := lru.New[string, bool](maxUserAgents)
	if err != nil {
		return nil, err
	}
	return &botDetector{known: known}, nil
}

// isBot reports whether the user agent says that it is a program. One that says
// nothing is taken for one: every browser says something.
func (d *botDetector) isBot(userAgent string) bool {
	if userAgent == "" {
		return true
	}
	if len(userAgent) > maxUserAgentLength {
		userAgent = userAgent[:maxUserAgentLength]
	}
	if bot, ok := d.known.Get(userAgent); ok {
		return bot
	}
	bot := useragent.Parse(userAgent).Bot
	d.known.Add(strings.Clone(userAgent), bot)
	return bot
}
