package webhooks_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/affiliatekit/affiliatekit/affiliate/webhooks"
	"github.com/affiliatekit/affiliatekit/storage/storagetest/backends"
)

const (
	testSecret  = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	otherSecret = "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY="
)

// What we send is verified by the library of Standard Webhooks, and what that
// signs by Verify.
func TestMessagesInteroperateWithTheLibraryOfStandardWebhooks(t *testing.T) {
	is := is.New(t)
	w := newWorld(t, backends.Memory(), webhooks.Options{})
	w.now = time.Now() // the library has no clock
	e := w.create("/", only())
	w.raise(1)
	next, err := w.hooks.RotateSecret(t.Context(), e.ID, time.Hour)
	is.NoErr(err)
	w.raise(2)
	got := w.deliver()
	is.Equal(len(got), 2)
	for _, secret := range []string{e.Secret, next.Secret} {
		theirs, err := standardwebhooks.NewWebhook(secret)
		is.NoErr(err)
		for _, m := range got {
			is.NoErr(theirs.Verify([]byte(m.body), m.header))
			is.True(theirs.Verify([]byte(m.body+" "), m.header) != nil)
		}
	}

	theirs, err := standardwebhooks.NewWebhook(testSecret)
	is.NoErr(err)
	now := time.Now()
	body := []byte(`{"type":"user.created","timestamp":"2026-03-18T12:00:00Z","data":{}}`)
	signature, err := theirs.Sign("msg_1", now, body)
	is.NoErr(err)
	header := http.Header{}
	header.Set(webhooks.HeaderID, "msg_1")
	header.Set(webhooks.HeaderTimestamp, fmt.Sprint(now.Unix()))
	header.Set(webhooks.HeaderSignature, "v1a,asymmetric v1,AAAA "+signature)
	is.NoErr(webhooks.Verify([]string{otherSecret, testSecret}, header, body, now))
	is.True(webhooks.Verify([]string{otherSecret}, header, body, now) != nil)
}

// The example of the specification's own libraries.
func TestAKnownSignatureIsVerified(t *testing.T) {
	is := is.New(t)
	header := http.Header{}
	header.Set(webhooks.HeaderID, "msg_p5jXN8AQM9LWM0D4loKWxJek")
	header.Set(webhooks.HeaderTimestamp, "1614265330")
	header.Set(webhooks.HeaderSignature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
	secrets := []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
	body := []byte(`{"test": 2432232314}`)
	at := time.Unix(1614265330, 0)
	is.NoErr(webhooks.Verify(secrets, header, body, at))
	is.NoErr(webhooks.Verify(secrets, header, body, at.Add(webhooks.Tolerance)))
	is.NoErr(webhooks.Verify(secrets, header, body, at.Add(-webhooks.Tolerance)))
	is.True(webhooks.Verify(secrets, header, body, at.Add(webhooks.Tolerance+time.Second)) != nil)
	is.True(webhooks.Verify(secrets, header, body, at.Add(-webhooks.Tolerance-time.Second)) != nil)
	for _, spelling := range []string{"01614265330", "+1614265330", "1614265330.0", " 1614265330", ""} {
		header.Set(webhooks.HeaderTimestamp, spelling)
		is.True(webhooks.Verify(secrets, header, body, at) != nil)
	}
	is.True(webhooks.Verify([]string{"whsec_short"}, header, body, at) != nil)
}

// FuzzVerify holds Verify against the library: whatever Verify takes, the
// library takes too.
func FuzzVerify(f *testing.F) {
	known := "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	f.Add(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "v1,"+known, []byte(`{"test": 2432232314}`))
	f.Add(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "01614265330", "v1,"+known+" v2,x", []byte(`{"test": 2432232314}`))
	f.Add(testSecret, "m", "-1", "v1,", []byte{})
	f.Add("", "", "9223372036854775807", "v1,v1 ,, \x00", []byte{0, 0xff})
	f.Add("whsec_"+strings.Repeat("A", 88), "evt_1", "1614265331", "v1,"+known+",v1", []byte("x"))
	now := time.Unix(1614265330, 0)
	f.Fuzz(func(t *testing.T, secret, id, timestamp, signature string, body []byte) {
		// As a server reads them: the values are what is set, whatever the bytes.
		header := http.Header{}
		header.Set(webhooks.HeaderID, id)
		header.Set(webhooks.HeaderTimestamp, timestamp)
		header.Set(webhooks.HeaderSignature, signature)
		if webhooks.Verify([]string{secret}, header, body, now) == nil {
			theirs, err := standardwebhooks.NewWebhook(secret)
			if err != nil {
				t.Fatalf("Verify took the secret %q, the library says %v", secret, err)
			}
			if err := theirs.VerifyIgnoringTimestamp(body, header); err != nil {
				t.Errorf("Verify took a message of which the library says %v", err)
			}
		}
		// And what the library signs is taken, unless its secret is too short or too long.
		theirs, err := standardwebhooks.NewWebhook(testSecret)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := theirs.Sign(id, now, body)
		if err != nil {
			t.Fatal(err)
		}
		header.Set(webhooks.HeaderTimestamp, "1614265330")
		header.Set(webhooks.HeaderSignature, strings.Join(strings.Fields(signature), " ")+" "+signed)
		if err := webhooks.Verify([]string{testSecret}, header, body, now); (err == nil) != (id != "") {
			t.Errorf("Verify(%q) of what the library signed: %v", id, err)
		}
	})
}

func ExampleVerify() {
	secrets := []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"} // two while the key changes

	// What a receiver gets: the headers, and the body as it came in.
	header := http.Header{}
	header.Set(webhooks.HeaderID, "msg_p5jXN8AQM9LWM0D4loKWxJek")
	header.Set(webhooks.HeaderTimestamp, "1614265330")
	header.Set(webhooks.HeaderSignature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
	body := []byte(`{"test": 2432232314}`)
	now := time.Unix(1614265330, 0).Add(3 * time.Second) // time.Now() in a program

	fmt.Println(webhooks.Verify(secrets, header, body, now))
	fmt.Println(webhooks.Verify(secrets, header, []byte(`{"test": 1}`), now))
	// Output:
	// <nil>
	// webhooks: the message is not signed with a known secret, or too old
}
