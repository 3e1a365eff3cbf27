package main

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/matryer/is"
)

// dashboard is what Grafana's schema of dashboards asks for, of what ours uses.
type dashboard struct {
	Title         string `json:"title"`
	UID           string `json:"uid"`
	SchemaVersion int    `json:"schemaVersion"`
	Timezone      string `json:"timezone"`
	Time          struct{ From, To string }
	Templating    struct {
		List []struct {
			Name, Type string
			Query      json.RawMessage
			Definition string
		}
	} `json:"templating"`
	Panels []panel `json:"panels"`
}

type panel struct {
	ID      int    `json:"id"`
	Type    string `json:"type"`
	Title   string `json:"title"`
	GridPos struct {
		H, W, X, Y int
	} `json:"gridPos"`
	Datasource  *datasource `json:"datasource"`
	FieldConfig *struct {
		Defaults struct {
			Unit string `json:"unit"`
		} `json:"defaults"`
		Overrides *[]any `json:"overrides"`
	} `json:"fieldConfig"`
	Targets []struct {
		RefID        string      `json:"refId"`
		Expr         string      `json:"expr"`
		LegendFormat string      `json:"legendFormat"`
		Datasource   *datasource `json:"datasource"`
	} `json:"targets"`
}

type datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	text, err := os.ReadFile("grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTheGrafanaDashboardHasTheFormOfOne(t *testing.T) {
	is := is.New(t)
	d := readDashboard(t)
	is.True(d.Title != "")
	is.True(regexp.MustCompile(`^[a-zA-Z0-9_-]{1,40}$`).MatchString(d.UID))
	is.True(d.SchemaVersion >= 36) // the first with data sources as objects
	is.True(d.Time.From != "" && d.Time.To != "")
	variables := map[string]bool{"__rate_interval": true, "__range": true}
	for _, v := range d.Templating.List {
		is.True(slices.Contains([]string{"datasource", "query"}, v.Type))
		variables[v.Name] = true
	}
	ids, taken := map[int]bool{}, map[[2]int]string{}
	for _, p := range d.Panels {
		g := p.GridPos
		if p.ID < 1 || ids[p.ID] || p.Title == "" {
			t.Errorf("panel %d %q: its id and title must be its own", p.ID, p.Title)
		}
		ids[p.ID] = true
		if g.W < 1 || g.H < 1 || g.X < 0 || g.Y < 0 || g.X+g.W > 24 {
			t.Errorf("%q does not fit into the 24 columns: %+v", p.Title, g)
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other, ok := taken[[2]int{x, y}]; ok {
					t.Fatalf("%q lies on %q", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		is.True(slices.Contains([]string{"timeseries", "stat"}, p.Type))
		is.True(p.FieldConfig != nil && p.FieldConfig.Defaults.Unit != "" && p.FieldConfig.Overrides != nil)
		is.True(p.Datasource != nil && *p.Datasource == datasource{"prometheus", "${datasource}"})
		is.True(len(p.Targets) > 0)
		refs := map[string]bool{}
		for _, target := range p.Targets {
			is.True(target.RefID != "" && !refs[target.RefID])
			refs[target.RefID] = true
			is.True(target.LegendFormat != "")
			is.True(target.Datasource != nil && target.Datasource.Type == "prometheus")
			for _, name := range regexp.MustCompile(`\$\{?(\w+)`).FindAllStringSubmatch(target.Expr, -1) {
				if !variables[name[1]] {
					t.Errorf("%q: there is no variable $%s", p.Title, name[1])
				}
			}
			if strings.Count(target.Expr, "(") != strings.Count(target.Expr, ")") || strings.Count(target.Expr, "{") != strings.Count(target.Expr, "}") {
				t.Errorf("%q: brackets do not match in %s", p.Title, target.Expr)
			}
		}
	}
}

var (
	exported   = regexp.MustCompile(`(?m)^(\w+)(?:\{([^}]*)\})? `)
	labelName  = regexp.MustCompile(`(\w+)="`)
	usedMetric = regexp.MustCompile(`\b((?:affiliatekit|go|process)_\w+)(?:\{([^}]*)\})?`)
	usedLabel  = regexp.MustCompile(`(\w+)\s*=~?"`)
	grouping   = regexp.MustCompile(`by \(([^)]*)\)`)
)

// Every metric and label of the dashboard is one that the server exports, and no
// metric of ours is left out.
func TestTheGrafanaDashboardShowsWhatIsExported(t *testing.T) {
	s := start(t, "-demo")
	s.as("").call(t, http.MethodGet, "/v2/health", nil, http.StatusOK, nil)
	labels := map[string][]string{} // by metric
	for _, line := range exported.FindAllStringSubmatch(string(s.as("").call(t, http.MethodGet, "/metrics", nil, http.StatusOK, nil).body), -1) {
		labels[line[1]] = append(labels[line[1]], "instance") // which Prometheus adds
		for _, l := range labelName.FindAllStringSubmatch(line[2], -1) {
			labels[line[1]] = append(labels[line[1]], l[1])
		}
	}
	d := readDashboard(t)
	used := map[string]bool{}
	check := func(title, expr string) {
		for _, m := range usedMetric.FindAllStringSubmatch(expr, -1) {
			used[m[1]] = true
			known, ok := labels[m[1]]
			if !ok {
				t.Errorf("%q: the server exports no %s", title, m[1])
			}
			var asked []string
			for _, l := range usedLabel.FindAllStringSubmatch(m[2], -1) {
				asked = append(asked, l[1])
			}
			for _, g := range grouping.FindAllStringSubmatch(expr, -1) {
				asked = append(asked, strings.Split(g[1], ", ")...)
			}
			for _, l := range asked {
				if !slices.Contains(known, l) {
					t.Errorf("%q: %s has no label %q", title, m[1], l)
				}
			}
		}
	}
	for _, v := range d.Templating.List {
		check(v.Name, v.Definition)
	}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			check(p.Title, target.Expr)
		}
	}
	for name := range labels {
		if strings.HasPrefix(name, "affiliatekit_") && !strings.HasSuffix(name, "_sum") && !strings.HasSuffix(name, "_count") && !used[name] {
			t.Errorf("no panel shows %s", name)
		}
	}
}
