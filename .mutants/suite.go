package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// suite is the compiled tests of a backend, with all changes in them.
type suite struct {
	backend
	changes []change
	dir     string   // of the binaries
	folder  string   // that the tests run in
	cases   []string // each behind its test and a slash

	mu      sync.Mutex
	reached map[int][]string // the cases that reach a change
	sites   map[string]int   // how many changes a case reaches
	took    map[string]time.Duration
	noticed map[[2]string]int // how many changes of a file a case noticed
}

// result is what came of a change.
type result struct {
	change
	cases   int    // that reach it
	noticed string // what failed; empty when nothing did
}

// prepare compiles the tests and lists the cases.
func prepare(root string, b backend, cases *regexp.Regexp) (*suite, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return nil, err
	}
	s := &suite{
		backend: b, dir: dir, folder: filepath.Join(root, b.tests),
		reached: map[int][]string{}, sites: map[string]int{}, took: map[string]time.Duration{}, noticed: map[[2]string]int{},
	}
	if err := s.build(root); err != nil {
		s.close()
		return nil, err
	}
	s.cases = slices.DeleteFunc(s.cases, func(c string) bool { return !cases.MatchString(c) })
	return s, nil
}

func (s *suite) close() { os.RemoveAll(s.dir) }

func (s *suite) build(root string) error {
	r := &rewriter{root: root}
	files, err := r.rewrite(s.dir, s.packages...)
	if err != nil {
		return err
	}
	s.changes = numbered(r.changes)
	overlay, err := json.Marshal(map[string]any{"Replace": files})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.dir, "overlay.json"), overlay, 0o600); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"-overlay", filepath.Join(s.dir, "overlay.json"), "-o", filepath.Join(s.dir, "tests"), s.tests},
		{"-o", filepath.Join(s.dir, "list"), s.listed.tests},
	} {
		build := exec.Command("go", append([]string{"test", "-c", "-vet=off"}, args...)...)
		build.Dir = root
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", build, err, out)
		}
	}
	list := exec.Command(filepath.Join(s.dir, "list"), "-test.v", "-test.run", "^"+s.listed.name+"$")
	list.Dir = filepath.Join(root, s.listed.tests)
	out, err := list.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", list, err, out)
	}
	for _, m := range regexp.MustCompile(`(?m)^=== PAUSE \w+/(.+)$`).FindAllSubmatch(out, -1) { // the cases are parallel
		for _, r := range s.runs {
			if rest, ok := strings.CutPrefix(string(m[1]), r.part); ok && r.behind {
				s.cases = append(s.cases, r.name+"/"+rest)
			} else if ok {
				s.cases = append(s.cases, r.name+"/"+string(m[1]))
			}
		}
	}
	return nil
}

// numbered tells changes apart that have the same key.
func numbered(changes []change) []change {
	seen := map[string]int{}
	for i := range changes {
		key := changes[i].key()
		if seen[key]++; seen[key] > 1 {
			changes[i].what += fmt.Sprintf(" #%d", seen[key])
		}
	}
	return changes
}

// exec runs some cases with an environment. It returns the first that failed.
func (s *suite) exec(cases []string, env string) (failed string, out []byte) {
	s.mu.Lock()
	limit := 10 * time.Second
	for _, c := range cases {
		limit += cmp.Or(5*s.took[c], 2*time.Minute) // before it is known
	}
	s.mu.Unlock()
	patterns := make([]string, len(cases))
	for i, c := range cases {
		patterns[i] = "^" + strings.ReplaceAll(regexp.QuoteMeta(c), "/", "$/^") + "$"
	}
	run := exec.Command(filepath.Join(s.dir, "tests"), "-test.run", strings.Join(patterns, "|"), "-test.failfast", "-test.timeout", limit.String())
	run.Dir, run.Env = s.folder, append(os.Environ(), env)
	out, err := run.CombinedOutput()
	if err == nil {
		return "", out
	}
	failed = "panic, or time is over"
	for _, m := range regexp.MustCompile(`--- FAIL: (\S+)`).FindAllSubmatch(out, -1) {
		if failed = string(m[1]); slices.Contains(cases, failed) {
			break
		}
	}
	return failed, out
}

// reach runs each case alone without a change, and notes which changes it reaches.
func (s *suite) reach(workers int) error {
	var broken error
	inParallel(workers, s.cases, func(c string) {
		s.mu.Lock()
		stop := broken != nil
		s.mu.Unlock()
		if stop {
			return
		}
		file := filepath.Join(s.dir, strings.ReplaceAll(c, "/", "."))
		start := time.Now()
		err := os.WriteFile(file, nil, 0o600)
		failed, out := s.exec([]string{c}, "MUTANTS_REACHED="+file)
		numbers, readErr := os.ReadFile(file)
		s.mu.Lock()
		defer s.mu.Unlock()
		if err = cmp.Or(err, readErr); err != nil || failed != "" {
			broken = fmt.Errorf("without any change %s fails: %v\n%s", c, err, out)
			return
		}
		s.took[c] = time.Since(start)
		for _, number := range bytes.Fields(numbers) {
			n, _ := strconv.Atoi(string(number))
			if !slices.Contains(s.reached[n], c) { // each package notes for itself
				s.reached[n] = append(s.reached[n], c)
				s.sites[c]++
			}
		}
	})
	return broken
}

// judge runs, for each change, the cases that reach it.
func (s *suite) judge(changes []change, workers int) []result {
	var results []result
	inParallel(workers, changes, func(c change) {
		r := result{change: c, cases: len(s.reached[c.n]), noticed: s.notices(c)}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.noticed[[2]string{c.file, r.noticed}]++
		if results = append(results, r); r.noticed == "" {
			fmt.Fprintf(os.Stderr, "%d of %d: not noticed: %v\n", len(results), len(changes), c)
		}
	})
	return results
}

// notices returns what failed with the change. The cases come in three parts, so that few run in
// vain: first those that noticed most in this file, then those that reach little else.
func (s *suite) notices(c change) string {
	s.mu.Lock()
	cases := slices.SortedFunc(slices.Values(s.reached[c.n]), func(a, b string) int {
		return cmp.Or(cmp.Compare(s.noticed[[2]string{c.file, b}], s.noticed[[2]string{c.file, a}]), cmp.Compare(s.sites[a], s.sites[b]))
	})
	s.mu.Unlock()
	for _, size := range []int{6, 50, len(cases)} {
		part := cases[:min(size, len(cases))]
		if cases = cases[len(part):]; len(part) == 0 {
			break
		}
		if failed, _ := s.exec(part, "MUTANT="+strconv.Itoa(c.n)); failed != "" {
			return failed
		}
	}
	return ""
}

func inParallel[T any](workers int, all []T, do func(T)) {
	var wg sync.WaitGroup
	next := make(chan T)
	for range workers {
		wg.Go(func() {
			for v := range next {
				do(v)
			}
		})
	}
	for _, v := range all {
		next <- v
	}
	close(next)
	wg.Wait()
}
