package browser

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http/httptest"
	"os"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/matryer/is"

	"github.com/affiliatekit/affiliatekit/httpadapter"
)

// axe is axe-core 4.14.1 of the npm registry; its licences are beside it.
func axe(t *testing.T) string {
	t.Helper()
	packed, err := os.ReadFile("testdata/axe.min.js.gz")
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	script, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(script)
}

// audit runs all of axe's rules and prints what they find. The script returns
// nothing of itself, so that it is not sent back.
const audit = `axe.run(document).then(r => JSON.stringify(r.violations.map(v => ({rule: v.id, nodes: v.nodes.slice(0, 5).map(n => n.html.slice(0, 200))}))))`

// complaints are errors that the page, its scripts and its policy bring up.
type complaints struct {
	mu  sync.Mutex
	all []string
}

func (c *complaints) add(s string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, s)
}

func (c *complaints) hear(ev any) {
	switch ev := ev.(type) {
	case *runtime.EventConsoleAPICalled:
		if ev.Type == runtime.ConsoleAPICalledTypeError || ev.Type == runtime.ConsoleAPICalledTypeWarning {
			text, err := json.Marshal(ev.Args)
			if err != nil {
				text = []byte(err.Error())
			}
			c.add("console: " + string(text))
		}
	case *runtime.EventExceptionThrown:
		c.add("exception: " + ev.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		if ev.Entry.Level == log.EntryLevelError || ev.Entry.Level == log.EntryLevelWarning {
			c.add("log: " + ev.Entry.Text + " " + ev.Entry.URL)
		}
	}
}

// A reader who reaches this server and nothing else opens the page, finds an
// operation and reads it, in light and dark. The page brings up no error, and
// no rule of axe is broken.
func TestTheDocsPageWorksOfflineAndForEverybody(t *testing.T) {
	docs, err := httpadapter.NewDocs(httpadapter.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(docs)
	t.Cleanup(server.Close)
	for name, flags := range map[string][]chromedp.ExecAllocatorOption{"light": nil, "dark": {chromedp.Flag("force-dark-mode", true)}} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			ctx := chromium(t, "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", flags...)
			var heard complaints
			is.NoErr(chromedp.Listen(ctx, heard.hear))
			const operation = `#operations-Affiliate_Link-metapic-user-affiliate-link-convert-v3`
			is.NoErr(chromedp.Do(ctx,
				chromedp.EmulateViewport(1200, 1600),
				chromedp.Navigate(server.URL+"/docs?api=metapic"),
				chromedp.WaitVisible(`#operations-tag-Affiliate_Link`),
				chromedp.Click(`#operations-tag-Affiliate_Link button`),
				chromedp.WaitVisible(operation),
				chromedp.Click(operation+` .opblock-summary-control`),
				chromedp.WaitVisible(operation+` tr[data-param-name="user_id"]`),
				chromedp.WaitVisible(operation+` .responses-table`),
			))
			path, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector("`+operation+` .opblock-summary-path").dataset.path`))
			is.NoErr(err)
			is.Equal(path, "/v3/users/{user_id}/affiliate-links")
			dark, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.documentElement.classList.contains("dark-mode")`))
			is.NoErr(err)
			is.Equal(dark, name == "dark")
			if folder := os.Getenv("SCREENSHOTS"); folder != "" {
				picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
				is.NoErr(err)
				is.NoErr(os.WriteFile(folder+"/docs-"+name+".png", picture, 0o644))
			}
			_, err = chromedp.Run(ctx, chromedp.Evaluate[bool](axe(t)+"; true"))
			is.NoErr(err)
			found, err := chromedp.Run(ctx, chromedp.Evaluate[string](audit, chromedp.EvalAwaitPromise))
			is.NoErr(err)
			is.Equal(found, "[]")
			heard.mu.Lock()
			defer heard.mu.Unlock()
			is.Equal(heard.all, []string(nil))
		})
	}
}
