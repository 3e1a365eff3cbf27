// Package storagetest is the contract of a storage backend, as tests.
//
// The interfaces in the domain packages say in comments what a backend does;
// here each of those sentences is a case. The memory and the Postgres backend
// run them, and so does a backend of your own:
//
//	func TestConformance(t *testing.T) {
//		storagetest.RunCore(t, func(t *testing.T) storagetest.Backend {
//			s := mystore.Open(t.TempDir())
//			t.Cleanup(s.Close)
//			return storagetest.Backend{Core: s.Core()}
//		})
//	}
//
// Each case opens a fresh, empty store and runs in parallel with the others,
// so the function is called a hundred times and more, from many goroutines.
//
// A backend of the core alone runs [RunCore], one that keeps links too
// [RunLinks], and so on; [Run] is all of them, and what holds between them. A
// backend of one domain that has no core of its own gets one by [Compose].
//
// A backend that asks a database sets [Backend.Failing]. Then each request of each
// method fails once, and the case sees whether the caller is told.
//
// # What the cases leave open
//
// How often a callback runs, how large gaps between ids are, and the wording of
// messages. A backend under contention may give up with ErrUnavailable; the
// cases then try again, as a host would.
//
// # How it is written
//
// What all aggregates promise (a value comes back as it was kept, hostile text
// included; references, unique keys and bounds are refused without a trace;
// lists filter, sort and page) is written once, in table.go and list.go. The
// file of an aggregate gives its data, and cases for what it alone promises.
// A test of this package reads the interfaces by reflection and fails when a
// method, a field of a filter or a sort column that a comment promises has no
// case.
package storagetest
