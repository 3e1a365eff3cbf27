// Command mutants changes one condition, lock, order, bound or copy of a storage backend at a time
// and says which changes no case of the conformance suite noticed.
//
// All changes are compiled at once, each behind a switch that an environment variable turns on. A
// run before tells which cases reach which change; for each change those run, until one fails.
package main

import (
	"bytes"
	"cmp"
	_ "embed"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
)

// backend is a package that runs the suite in its tests.
type backend struct {
	tests    string   // the package
	runs     []run    // of the suite in it
	packages []string // what is changed
	leaveOut string   // what matches is no promise of a store
	listed   test     // what runs the whole suite, and lists its cases fast
}

// run is a test that runs the suite, or a part of it: the cases whose names begin with
// the part. It calls them by their whole names, or by what is behind the part.
type run struct {
	name, part string
	behind     bool
}

type test struct{ tests, name string } // the package, and the test in it

var memory = test{"./storage/memory", "TestMemoryKeepsTheContractOfAllBackends"}

var backends = map[string]backend{
	"memory": {
		tests: memory.tests, runs: []run{{name: memory.name}}, listed: memory,
		packages: []string{"./storage/memory", "./storage/memory/internal/engine"},
		leaveOut: `engine/inspect\.go|\.(Dump|Check): `, // which the backend's own tests look through
	},
	"postgres": {
		tests: "./storage/postgres", listed: memory,
		runs: []run{
			{name: "TestPostgresKeepsEveryPromiseOfAStore"},
			{"TestClicksByMonthKeepThePromisesOfClicks", "links/", true},
			{"TestPostgresKeepsThePromisesOfClicksWithoutPreparing", "links/", true},
			{"TestPostgresKeepsEveryPromiseWhileItRefusesTransactions", "core/", false},
		},
		packages: []string{"./storage/postgres"},
		leaveOut: `/(migrate|migratetools|schema|domains|partitions)\.go|: measureSkew: |db\.lacks\(|\.isThere: |` + // how a host sets its database up,
			`/(open|db|host|failover|reader)\.go|[hH]osted|hostTx|tellHost|outside\(|db\.reader|StalenessOf|: served →|DB\.run: kind|` + // how it reaches it,
			`/(session|prepared)\.go|sOfAnotherConnection`, // and in which form the connection takes statements
	},
}

func main() {
	root := flag.String("root", "..", "the folder of the module")
	name := flag.String("backend", "memory", "memory or postgres")
	match := flag.String("match", "", "only the changes whose file, function or text matches this regular expression")
	cases := flag.String("cases", "", "only the cases whose name matches this regular expression")
	again := flag.String("again", "", "only the changes that this report lists as not noticed")
	sample := flag.Int("sample", 0, "only so many changes, by chance")
	seed := flag.Uint64("seed", rand.Uint64N(1e6), "of the sample")
	workers := flag.Int("workers", 2, "processes at once")
	flag.Parse()
	if err := try(*root, backends[*name], *match, *cases, *again, *sample, *seed, *workers); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func try(root string, b backend, match, cases, again string, sample int, seed uint64, workers int) error {
	equivalent, err := parseEquivalent(equivalentText)
	if err != nil {
		return err
	}
	matching, err := regexp.Compile(match)
	if err != nil {
		return err
	}
	matchingCases, err := regexp.Compile(cases)
	if err != nil {
		return err
	}
	var before []byte
	if again != "" {
		if before, err = os.ReadFile(again); err != nil {
			return err
		}
		before = regexp.MustCompile(`(?m)^(\S+):\d+: `).ReplaceAll(before, []byte("$1: ")) // lines move
	}
	s, err := prepare(root, b, matchingCases)
	if err != nil {
		return err
	}
	defer s.close()
	leaveOut := regexp.MustCompile(b.leaveOut)
	left, chosen := 0, []change(nil)
	for _, c := range s.changes {
		switch {
		case leaveOut.MatchString(c.key()), !matching.MatchString(c.key()), again != "" && !bytes.Contains(before, []byte(c.key()+" (")):
		case equivalent[c.key()] != "":
			left++
		default:
			chosen = append(chosen, c)
		}
	}
	fmt.Printf("%d changes, %d more are equivalent\n", len(chosen), left)
	if sample > 0 && sample < len(chosen) {
		random := rand.New(rand.NewPCG(seed, 0))
		random.Shuffle(len(chosen), func(i, j int) { chosen[i], chosen[j] = chosen[j], chosen[i] })
		chosen = chosen[:sample]
		fmt.Printf("a sample of %d: -seed %d\n", sample, seed)
	}
	if err := s.reach(workers); err != nil {
		return err
	}
	report(os.Stdout, s.judge(chosen, workers))
	return nil
}

// report prints how many changes were noticed, by file and by kind, and those that were not.
func report(w io.Writer, results []result) {
	for _, by := range []struct {
		title string
		of    func(change) string
	}{{"file", func(c change) string { return c.file }}, {"kind", func(c change) string { return c.kind }}} {
		type count struct{ all, noticed, unreached int }
		counts := map[string]*count{}
		for _, r := range results {
			for _, key := range []string{by.of(r.change), "~ all"} {
				c := counts[key]
				if c == nil {
					c = &count{}
					counts[key] = c
				}
				c.all++
				if r.noticed != "" {
					c.noticed++
				}
				if r.cases == 0 {
					c.unreached++
				}
			}
		}
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintf(table, "\n%s\tchanges\tnoticed\tnot reached\t\n", by.title)
		for _, key := range slices.Sorted(maps.Keys(counts)) {
			c := counts[key]
			fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%.1f %%\n", key, c.all, c.noticed, c.unreached, 100*float64(c.noticed)/float64(c.all))
		}
		table.Flush()
	}
	fmt.Fprintln(w, "\nNo case noticed:")
	slices.SortFunc(results, func(a, b result) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line), cmp.Compare(a.n, b.n))
	})
	for _, r := range results {
		switch {
		case r.noticed != "":
		case r.cases == 0:
			fmt.Fprintf(w, "%v (no case reaches it)\n", r.change)
		default:
			fmt.Fprintf(w, "%v (of %d)\n", r.change, r.cases)
		}
	}
}

//go:embed equivalent.txt
var equivalentText string

// parseEquivalent reads the changes that no caller could ever notice, by key. Above each stands the
// reason, as a comment.
func parseEquivalent(text string) (map[string]string, error) {
	reasons, reason := map[string]string{}, ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch comment, isComment := strings.CutPrefix(line, "# "); {
		case isComment:
			reason = comment
		case line == "":
			reason = ""
		case reason == "":
			return nil, fmt.Errorf("equivalent.txt: no reason stands above %q", line)
		default:
			reasons[line] = reason
		}
	}
	return reasons, nil
}
