package affiliate

import (
	"encoding/json"
	"fmt"
	"time"
)

// Event tells that something happened. It is written in the unit that did it;
// package affiliate/events brings it to those who want to hear of it.
type Event struct {
	ID int64 // counted by the backend, in the order of writing
	// Sequence is the event's place among all events, from 1 and without gaps.
	// It is 0 until package affiliate/events has given it, after the commit.
	Sequence     int64
	Kind         string // "order.approved"; 1..64 characters
	Version      int    // of the form of Data, from 1
	AdvertiserID int64  // whose event it is; 0: of no single advertiser
	ClientID     int64  // likewise
	Object       Object // what it is about
	Data         string // JSON in the kind's form, at most 65536 characters; may be empty
	At           time.Time
}

// Object names what an event is about: a user, an order.
type Object struct {
	Type string // "order"; 1..64 characters
	ID   string // "17"; 1..128 characters
}

func (o Object) String() string { return o.Type + ":" + o.ID }

// Validate checks what every backend refuses.
func (e Event) Validate() error {
	var v Validation
	v.Text("kind", e.Kind, 1, 64)
	v.Check(e.Version >= 1 && e.Version <= 1000, "version", "out_of_range", "must be between 1 and 1000")
	v.Check(e.AdvertiserID >= 0, "advertiser_id", "out_of_range", "must not be negative")
	v.Check(e.ClientID >= 0, "client_id", "out_of_range", "must not be negative")
	v.Text("object_type", e.Object.Type, 1, 64)
	v.Text("object_id", e.Object.ID, 1, 128)
	v.Text("data", e.Data, 0, 65536)
	v.Check(e.Data == "" || json.Valid([]byte(e.Data)), "data", "invalid", "must be JSON")
	return v.Err("event")
}

// EventKind declares a kind of event. Each domain lists its kinds in a function
// EventKinds; the table of all is in package affiliate/events.
type EventKind struct {
	Name    string // "order.approved"
	Version int    // of the payload's form
	Object  string // the type of its object: "order"
	When    string // what has happened, as a sentence
	Payload any    // the zero value of its payload; nil when Data is empty
}

// On returns an event of the kind about the object with the id.
func (k EventKind) On(id any, at time.Time) Event {
	return Event{Kind: k.Name, Version: k.Version, Object: Object{k.Object, fmt.Sprint(id)}, At: at}
}

// Of says whose event it is; 0 stands for nobody.
func (e Event) Of(advertiserID, clientID int64) Event {
	e.AdvertiserID, e.ClientID = advertiserID, clientID
	return e
}

// With gives the event its payload, as JSON. Validate refuses the event when the
// payload has none.
func (e Event) With(payload any) Event {
	data, err := json.Marshal(payload)
	if err != nil {
		data = []byte(err.Error()) // which is no JSON
	}
	e.Data = string(data)
	return e
}
