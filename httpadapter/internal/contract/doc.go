// Package contract is the test kit of the dialects: it holds a dialect against
// the facts of its document. Only tests import it.
//
// # How a dialect joins
//
// In the dialect's folder, a test builds a [Suite] and runs it:
//
//	func suite(t *testing.T) contract.Suite {
//		return contract.Suite{
//			Facts:      contract.Read(t, "../testdata/contract/metapic_v2.json"),
//			Document:   "metapic",
//			NotBuilt:   notBuiltYet,                 // ids of operations without a route
//			Routes:     routes(t),                   // mux.Routes() of the dialect over all its services
//			Open:       []string{"health-get"},      // ids of operations that need no principal
//			Principals: market.Principals,           // "nobody" first
//			Memory:     func(t testing.TB) contract.World { return newWorld(t, backends.Memory()) },
//			Postgres:   func(t testing.TB) contract.World { return newWorld(t, postgres(t)) },
//			Replays:    replays,                     // one line for each operation
//			Tenancy:    tenancy,                     // at least one row for each operation
//			Bad:        moreBadCases,                // what only the domain knows to be bad
//			Golden:     "testdata/badinput.golden",
//		}
//	}
//
//	func TestContract(t *testing.T) { suite(t).Run(t) }
//
// A [World] is the dialect over a fresh backend with fixtures in it: it sends
// requests as its principals, knows the ids of its fixtures by name, and can
// print all that it keeps.
//
// # What is tested
//
//   - The routes are the document's operations, each with its methods and path,
//     and no other; every documented parameter and field is read.
//   - Bounds, enumerations and requirements of the facts hold, and are refused
//     by the name of the field.
//   - Replay: each documented request, adapted to the fixtures, gets an answer
//     with every documented field in its JSON type, on both backends, and one
//     that the OpenAPI document of the dialect has: `make openapi` first, when a
//     type has changed.
//   - Tenancy: principals × routes. A route that no row lists fails. A request
//     that is refused changes nothing.
//   - Bad input: hostile values in the place of each parameter and field. The
//     golden file has the status and the body of each refusal; both backends
//     must give the same. UPDATE_GOLDEN=1 writes it; read the difference before
//     you keep it.
//
// An engineer who builds one more route takes its id out of NotBuilt, adds a
// line to the replays and rows to the tenancy table, and writes the golden file.
//
// In targets, "{user anna}" stands for the id of that fixture; in bodies,
// "‹user anna›" does, because of JSON's braces.
package contract
