package lookup

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"spindle/album"
	"spindle/disc/accuraterip"
	"spindle/disc/ctdb"
	"spindle/disc/discid"
)

// A clock goes only when somebody waits for it.
type clock struct {
	mu     sync.Mutex
	t      time.Time
	waited []time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
	c.waited = append(c.waited, d)
	return ctx.Err()
}

// serve is a client whose databases are all one server.
func serve(t *testing.T, h http.HandlerFunc) (*Client, *clock) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	k := &clock{t: time.Unix(0, 0)}
	return &Client{UserAgent: "spindle/test", AccurateRipServer: s.URL, CTDBServer: s.URL, MusicBrainzServer: s.URL, now: k.now, sleep: k.sleep}, k
}

func toc(t *testing.T) (discid.TOC, discid.IDs) {
	t.Helper()
	x, err := discid.ParseTOC("0:16032:32072:47282")
	if err != nil {
		t.Fatal(err)
	}
	ids, err := x.IDs()
	if err != nil {
		t.Fatal(err)
	}
	return x, ids
}

// response is one of AccurateRip.
func response(id discid.AccurateRip) []byte {
	b := []byte{byte(id.Tracks)}
	for _, x := range []uint32{id.ID1, id.ID2, id.CDDB} {
		b = binary.LittleEndian.AppendUint32(b, x)
	}
	return append(b, make([]byte, 9*id.Tracks)...)
}

const xmlAnswer = `<ctdb><entry id="5" confidence="3" crc32="12345678" toc="0:16032:32072:47282"/></ctdb>`

func jsonAnswer(id string) string {
	return `{"id":"` + id + `","releases":[{"id":"r","title":"T","media":[{"position":1,"tracks":[]}]}]}`
}

// Each database is asked as it has to be.
func TestQuestions(t *testing.T) {
	x, ids := toc(t)
	var asked []string
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.RequestURI+" "+r.UserAgent())
		switch {
		case strings.HasPrefix(r.URL.Path, "/accuraterip/"):
			w.Write(response(ids.AccurateRip))
		case r.URL.Path == "/lookup2.php":
			io.WriteString(w, xmlAnswer)
		default:
			io.WriteString(w, jsonAnswer(ids.MusicBrainz))
		}
	})
	ctx := t.Context()
	if b, err := c.AccurateRip(ctx, ids.AccurateRip); err != nil || string(b) != string(response(ids.AccurateRip)) {
		t.Errorf("%q, %v", b, err)
	}
	if b, err := c.CTDB(ctx, x); err != nil || string(b) != xmlAnswer {
		t.Errorf("%q, %v", b, err)
	}
	if b, err := c.MusicBrainz(ctx, ids.MusicBrainz); err != nil || string(b) != jsonAnswer(ids.MusicBrainz) {
		t.Errorf("%q, %v", b, err)
	}
	want := []string{
		"GET " + strings.TrimPrefix(ids.AccurateRip.URL(), "http://www.accuraterip.com") + " spindle/test",
		"GET /lookup2.php?version=3&ctdb=1&fuzzy=1&metadata=none&toc=0:16032:32072:47282 spindle/test",
		"GET /ws/2/discid/" + ids.MusicBrainz + "?fmt=json&cdstubs=no&inc=recordings+artist-credits+labels+release-groups spindle/test",
	}
	for i := range want {
		if i >= len(asked) || asked[i] != want[i] {
			t.Errorf("%q, want %q", asked, want)
			break
		}
	}
}

// What does not come as it should is an error, and nothing of it is returned.
func TestBadAnswers(t *testing.T) {
	x, ids := toc(t)
	other := ids.AccurateRip
	other.CDDB++
	text := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, s) }
	}
	status := func(n int) http.HandlerFunc { return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(n) } }
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Location", to); w.WriteHeader(302) }
	}
	cut := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(s)+1))
			io.WriteString(w, s)
		}
	}
	long := func(n int, stated bool) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if stated {
				w.Header().Set("Content-Length", strconv.Itoa(n))
			}
			for block := make([]byte, 1<<16); n > 0; n -= len(block) {
				if _, err := w.Write(block[:min(n, len(block))]); err != nil {
					return
				}
			}
		}
	}
	accurateRip := func(c *Client) ([]byte, error) { return c.AccurateRip(t.Context(), ids.AccurateRip) }
	cueTools := func(c *Client) ([]byte, error) { return c.CTDB(t.Context(), x) }
	brainz := func(c *Client) ([]byte, error) { return c.MusicBrainz(t.Context(), ids.MusicBrainz) }
	page := "<!DOCTYPE html><html><body>Log in</body></html>"
	for _, test := range []struct {
		name   string
		ask    func(*Client) ([]byte, error)
		answer http.HandlerFunc
		want   error
	}{
		{"absent", accurateRip, status(404), ErrAbsent},
		{"absent", brainz, status(404), ErrAbsent},
		{"no entries", cueTools, text("<ctdb/>"), ErrAbsent},
		{"no releases", brainz, text(`{"id":"` + ids.MusicBrainz + `","releases":[]}`), ErrAbsent},
		{"error", accurateRip, status(500), ErrAnswer},
		{"too many requests", brainz, status(503), ErrAnswer},
		{"nothing", accurateRip, status(204), ErrAnswer},
		{"empty", accurateRip, text(""), accuraterip.ErrResponse},
		{"page", accurateRip, text(page), ErrAnswer},
		{"page", cueTools, text(page), ErrAnswer},
		{"page", brainz, text(page), ErrAnswer},
		{"in circles", cueTools, redirect("/lookup2.php"), ErrRedirects},
		{"to a file", cueTools, redirect("file:///etc/passwd"), ErrAnswer},
		{"to nowhere", cueTools, redirect(""), nil},
		{"other disc", accurateRip, text(string(response(other))), accuraterip.ErrOtherDisc},
		{"other disc", brainz, text(jsonAnswer("another")), album.ErrRelease},
		{"cut", accurateRip, text(string(response(ids.AccurateRip)[:20])), accuraterip.ErrResponse},
		{"cut", cueTools, text(xmlAnswer[:40]), ctdb.ErrResponse},
		{"cut", brainz, text(jsonAnswer(ids.MusicBrainz)[:60]), album.ErrRelease},
		{"cut on the way", cueTools, cut(xmlAnswer), ErrAnswer},
		{"long", accurateRip, long(accuraterip.MaxResponse+1, true), ErrAnswer},
		{"long", accurateRip, long(accuraterip.MaxResponse+1, false), ErrAnswer},
		{"long", cueTools, long(ctdb.MaxResponse+1, false), ErrAnswer},
	} {
		c, _ := serve(t, test.answer)
		b, err := test.ask(c)
		if err == nil || b != nil || test.want != nil && !errors.Is(err, test.want) {
			t.Errorf("%s: %d bytes, %v, want %v", test.name, len(b), err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "http://") {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// Three redirects are followed, each in its turn.
func TestRedirects(t *testing.T) {
	_, ids := toc(t)
	n := 0
	c, k := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n++; n <= mostHops {
			http.Redirect(w, r, fmt.Sprintf("/%d", n), http.StatusFound)
			return
		}
		w.Write(response(ids.AccurateRip))
	})
	c.MusicBrainzServer = ""
	if _, err := c.AccurateRip(t.Context(), ids.AccurateRip); err != nil {
		t.Error(err)
	}
	if len(k.waited) != mostHops || k.now().Sub(time.Unix(0, 0)) != mostHops*gap {
		t.Errorf("waited %v", k.waited)
	}
}

// MusicBrainz is asked once a second at most.
func TestGaps(t *testing.T) {
	_, ids := toc(t)
	var at []time.Duration
	var k *clock
	c, k := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		at = append(at, k.now().Sub(time.Unix(0, 0)))
		io.WriteString(w, jsonAnswer(ids.MusicBrainz))
	})
	for range 3 {
		if _, err := c.MusicBrainz(t.Context(), ids.MusicBrainz); err != nil {
			t.Fatal(err)
		}
	}
	if fmt.Sprint(at) != "[0s 1s 2s]" {
		t.Error(at)
	}
}

// A server that hangs, before its answer or in it, costs the limit; Ctrl-C ends the waiting.
func TestHangs(t *testing.T) {
	x, ids := toc(t)
	end := make(chan struct{})
	t.Cleanup(func() { close(end) })
	for name, begin := range map[string]string{"silent": "", "in the middle": xmlAnswer[:20]} {
		c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, begin)
			if begin != "" {
				w.(http.Flusher).Flush()
			}
			select {
			case <-end:
			case <-r.Context().Done():
			}
		})
		c.limit = 20 * time.Millisecond
		if _, err := c.CTDB(t.Context(), x); !errors.Is(err, ErrNoAnswer) {
			t.Errorf("%s: %v", name, err)
		}
		c.limit = 0
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		if _, err := c.AccurateRip(ctx, ids.AccurateRip); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Nobody listens there.
func TestNoServer(t *testing.T) {
	_, ids := toc(t)
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	c := Client{AccurateRipServer: s.URL}
	if _, err := c.AccurateRip(t.Context(), ids.AccurateRip); !errors.Is(err, errUnreachable) {
		t.Error(err)
	}
}

func entry(t *testing.T, parityURL string) *ctdb.Entry {
	t.Helper()
	// Four words of zeros: the parity of silence.
	b := fmt.Sprintf(`<ctdb><entry id="5" confidence="3" stride="5880" syndrome="AAAAAAAAAAA=" hasparity="%s"/></ctdb>`, parityURL)
	all, err := ctdb.ParseResponse([]byte(b))
	if err != nil {
		t.Fatal(err)
	}
	return &all[0]
}

func TestParity(t *testing.T) {
	const row = 23520
	for name, test := range map[string]struct {
		url   string
		size  int
		whole bool // the server knows no ranges
		first byte
		want  error
		bytes int
	}{
		"relative":       {url: "/5", size: 8 * row, bytes: 8 * row},
		"no ranges":      {url: "/5", size: 8 * row, whole: true, bytes: 8 * row},
		"longer":         {url: "/5", size: 40 * row, bytes: ctdb.MaxParitySize},
		"longer, whole":  {url: "/5", size: 40 * row, whole: true, bytes: ctdb.MaxParitySize},
		"cut":            {url: "/5", size: 8*row - 1, want: ctdb.ErrParity},
		"too short":      {url: "/5", size: 3 * row, want: ctdb.ErrParity},
		"another's":      {url: "/5", size: 8 * row, first: 1, want: ctdb.ErrOther},
		"none":           {url: "", want: ErrAbsent},
		"other host":     {url: "http://192.0.2.1/5", want: ErrAnswer},
		"like the host":  {url: "http://cuetools.net.example/5", want: ErrAnswer},
		"other port":     {url: "http://p.cuetools.net:22/5", want: ErrAnswer},
		"file":           {url: "file:///etc/passwd", want: ErrAnswer},
		"with a name":    {url: "http://a:b@p.cuetools.net/5", want: ErrAnswer},
		"no address":     {url: "http://[/", want: ErrAnswer},
		"other protocol": {url: "gopher://p.cuetools.net/5", want: ErrAnswer},
	} {
		c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
			b := make([]byte, test.size)
			b[0] = test.first
			if test.whole {
				w.Write(b)
				return
			}
			if got := r.Header.Get("Range"); got != "bytes=0-376319" {
				t.Errorf("%s: %s", name, got)
			}
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(b)))
		})
		b, err := c.Parity(t.Context(), entry(t, test.url))
		if len(b) != test.bytes || !errors.Is(err, test.want) || err == nil && test.want != nil {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
}

// The public database keeps parity on other servers of its own.
func TestParityServers(t *testing.T) {
	var asked []string
	c := &Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
		asked = append(asked, r.URL.String())
		return nil, errors.New("no network")
	})}
	for _, u := range []string{"http://p.cuetools.net/5", "/6", "https://db.cue.tools/7"} {
		if _, err := c.Parity(t.Context(), entry(t, u)); err == nil || err.Error() != "no network" {
			t.Error(err)
		}
	}
	if got := strings.Join(asked, " "); got != "http://p.cuetools.net/5 http://db.cuetools.net/6 https://db.cue.tools/7" {
		t.Error(got)
	}
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
