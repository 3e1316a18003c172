package lookup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	timeout     = 10 * time.Second // for an answer, with all redirects
	mostHops    = 3                // redirects
	gap         = 500 * time.Millisecond
	gapOfBrainz = time.Second // its rules allow one request a second
)

// A Client asks the databases. The zero value asks those that everybody uses. It may be
// used by several goroutines.
type Client struct {
	UserAgent string // the program, its version, and where to reach those who make it

	// Servers that are asked in place of the public ones, such as http://127.0.0.1:8080.
	AccurateRipServer, CTDBServer, MusicBrainzServer string

	// Transport reaches the network; nil is the usual one.
	Transport http.RoundTripper

	// In tests: another limit, and a clock that does not wait.
	limit time.Duration
	now   func() time.Time
	sleep func(context.Context, time.Duration) error

	mu   sync.Mutex
	next map[string]time.Time // when each host may be asked again
}

// A query is a request, and what is expected of its answer.
type query struct {
	url   string
	most  int  // bytes
	part  bool // of a longer file, only so many are wanted
	check func([]byte) error
}

// ask gets an answer and checks it.
func (c *Client) ask(parent context.Context, q query) ([]byte, error) {
	ctx, cancel := context.WithTimeout(parent, cmp.Or(c.limit, timeout))
	defer cancel()
	b, err := c.get(ctx, q)
	switch {
	case parent.Err() != nil:
		return nil, parent.Err()
	case ctx.Err() != nil && err != nil:
		return nil, ErrNoAnswer
	case err != nil:
		return nil, plain(err)
	}
	if err := q.check(b); err != nil {
		if strings.HasPrefix(http.DetectContentType(b), "text/html") {
			return nil, fmt.Errorf("%w: a web page", ErrAnswer)
		}
		return nil, err
	}
	return b, nil
}

// errUnreachable is what errors on the way to a server wrap.
var errUnreachable = errors.New("it cannot be reached")

// plain is an error of the network without the method and the addresses of the request.
func plain(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		err = of.Err
	}
	var on *net.OpError
	switch {
	case errors.As(err, &on):
		return fmt.Errorf("%w: %w", errUnreachable, on.Err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: it ends in the middle", ErrAnswer)
	}
	return err
}

// get makes one request.
func (c *Client) get(ctx context.Context, q query) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, q.url, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", c.UserAgent)
	if q.part {
		r.Header.Set("Range", fmt.Sprintf("bytes=0-%d", q.most-1))
	}
	web := http.Client{Transport: turns{c}, CheckRedirect: checkRedirect}
	reply, err := web.Do(r)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	switch s := reply.StatusCode; {
	case s == http.StatusNotFound:
		return nil, ErrAbsent
	case s == http.StatusPartialContent && q.part:
		if from := reply.Header.Get("Content-Range"); !strings.HasPrefix(from, "bytes 0-") {
			return nil, fmt.Errorf("%w: another part: %.40q", ErrAnswer, from)
		}
	case s != http.StatusOK:
		return nil, fmt.Errorf("%w: status %d", ErrAnswer, s)
	}
	return q.read(reply)
}

// read takes the body of a reply.
func (q *query) read(reply *http.Response) ([]byte, error) {
	if q.part {
		return io.ReadAll(io.LimitReader(reply.Body, int64(q.most)))
	}
	if reply.ContentLength > int64(q.most) {
		return nil, q.tooLong()
	}
	b, err := io.ReadAll(io.LimitReader(reply.Body, int64(q.most)+1))
	if err == nil && len(b) > q.most {
		err = q.tooLong()
	}
	return b, err
}

func (q *query) tooLong() error {
	return fmt.Errorf("%w: more than %d bytes", ErrAnswer, q.most)
}

func checkRedirect(r *http.Request, via []*http.Request) error {
	switch {
	case len(via) > mostHops:
		return ErrRedirects
	case r.URL.Scheme != "http" && r.URL.Scheme != "https":
		return fmt.Errorf("%w: an address of %.20q", ErrAnswer, r.URL.Scheme)
	}
	return nil
}

// turns sends requests, also those that a redirect makes, when it is the turn of their host.
type turns struct{ c *Client }

// RoundTrip implements [http.RoundTripper].
func (t turns) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := t.c.wait(r.Context(), r.URL.Host); err != nil {
		return nil, err
	}
	if t.c.Transport != nil {
		return t.c.Transport.RoundTrip(r)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// wait waits for the turn of a host.
func (c *Client) wait(ctx context.Context, host string) error {
	now, sleep := c.now, c.sleep
	if now == nil {
		now, sleep = time.Now, pause
	}
	between := gap
	if u, err := url.Parse(cmp.Or(c.MusicBrainzServer, musicBrainz)); err == nil && u.Host == host {
		between = gapOfBrainz
	}
	c.mu.Lock()
	if c.next == nil {
		c.next = make(map[string]time.Time)
	}
	t := now()
	turn := c.next[host]
	if turn.Before(t) {
		turn = t
	}
	c.next[host] = turn.Add(between)
	c.mu.Unlock()
	if turn.Equal(t) {
		return ctx.Err()
	}
	return sleep(ctx, turn.Sub(t))
}

// pause waits for a time.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
