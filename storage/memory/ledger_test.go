package memory

import "testing"

func TestCausesComeBackAsTheyWere(t *testing.T) {
	const id = "0190a0b0-c0d0-7e0f-8a1b-2c3d4e5f6071"
	for _, tt := range []struct {
		cause  string
		packed bool
	}{
		{"click:" + id, true},
		{id, true},
		{"order:1", false},
		{"click:", false},
		{"click:0190A0B0-c0d0-7e0f-8a1b-2c3d4e5f6071", false},
		{"click:00000000-0000-0000-0000-000000000000", false},
		{"click:{0190a0b0-c0d0-7e0f-8a1b-2c3d4e5f60}", false},
		{"click:" + id + " ", false},
	} {
		db := New()
		prefix, uuid := splitCause(tt.cause)
		if got := db.causeText(cause{db.words.Number(prefix), uuid}); got != tt.cause || (uuid != [16]byte{}) != tt.packed {
			t.Errorf("%q came back as %q with the id %v", tt.cause, got, uuid)
		}
	}
}
