package media

import "github.com/affiliatekit/affiliatekit/affiliate"

// The kinds of this package's events.
var (
	EventAdded   = affiliate.EventKind{Name: "medium.added", Version: 1, Object: "medium", When: "Something that a creator published is known.", Payload: Payload{}}
	EventUpdated = affiliate.EventKind{Name: "medium.updated", Version: 1, Object: "medium", When: "A medium was changed.", Payload: Payload{}}
)

// EventKinds lists the kinds of this package.
func EventKinds() []affiliate.EventKind { return []affiliate.EventKind{EventAdded, EventUpdated} }

// Payload says whose medium it is; 0: nobody's that is known.
type Payload struct {
	UserID int64 `json:"user_id,omitempty"`
}

func (m Medium) event(kind affiliate.EventKind) affiliate.Event {
	return kind.On(m.ID, m.UpdatedAt).With(Payload{m.UserID})
}
