// Package lookup asks databases of CDs on the network about a disc: AccurateRip, CTDB and
// MusicBrainz. It is the only package that reaches the network, and it does when it is
// called, never by itself. What it sends are the ids of a disc, which are made of its table
// of contents, and the name of the program.
//
// An answer is returned only if it is one about that disc, whole, and of a bounded size. A
// database that does not answer costs ten seconds at most.
package lookup

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"spindle/album"
	"spindle/disc/accuraterip"
	"spindle/disc/ctdb"
	"spindle/disc/discid"
)

// The errors of a look-up. That the context was cancelled is its own error; others are
// those of the network, and those of the packages that read the answers.
var (
	ErrAbsent    = errors.New("not in the database")
	ErrNoAnswer  = errors.New("no answer within ten seconds")
	ErrAnswer    = errors.New("no usable answer")
	ErrRedirects = errors.New("sent from one address to the next")
)

// musicBrainz is where that database is. The addresses of the others are those of the ids.
const musicBrainz = "https://musicbrainz.org"

// AccurateRip returns the response about a disc, as [accuraterip.Parse] reads it.
func (c *Client) AccurateRip(ctx context.Context, id discid.AccurateRip) ([]byte, error) {
	return c.ask(ctx, query{url: at(c.AccurateRipServer, id.URL()), most: accuraterip.MaxResponse, check: func(b []byte) error {
		_, err := accuraterip.Parse(b, id)
		return err
	}})
}

// CTDB returns the response about the discs with the same audio tracks, as
// [ctdb.ParseResponse] reads it.
func (c *Client) CTDB(ctx context.Context, t discid.TOC) ([]byte, error) {
	return c.ask(ctx, query{url: at(c.CTDBServer, t.CTDBURL()), most: ctdb.MaxResponse, check: func(b []byte) error {
		entries, err := ctdb.ParseResponse(b)
		if err == nil && len(entries) == 0 {
			err = ErrAbsent
		}
		return err
	}})
}

// Parity returns the parity of an entry of CTDB, as [ctdb.ParseParity] reads it.
func (c *Client) Parity(ctx context.Context, e *ctdb.Entry) ([]byte, error) {
	if e.ParityURL == "" {
		return nil, ErrAbsent
	}
	base, err := url.Parse(at(c.CTDBServer, discid.TOC{}.CTDBURL()))
	if err != nil {
		return nil, err
	}
	u, err := base.Parse(e.ParityURL)
	if err != nil || !ofCTDB(u, base) {
		return nil, fmt.Errorf("%w: parity at %.100q", ErrAnswer, e.ParityURL)
	}
	return c.ask(ctx, query{url: u.String(), most: ctdb.MaxParitySize, part: true, check: func(b []byte) error {
		p, err := ctdb.ParseParity(b)
		if err == nil && !p.Of(e) {
			err = ctdb.ErrOther
		}
		return err
	}})
}

// ofCTDB reports whether an address that a response states is one of the database: the response
// comes without encryption, and must not be able to send this program to others.
func ofCTDB(u, base *url.URL) bool {
	if u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return false
	}
	for _, domain := range []string{"cuetools.net", "cue.tools"} {
		if host := u.Hostname(); (host == domain || strings.HasSuffix(host, "."+domain)) && u.Port() == "" {
			return true
		}
	}
	return u.Host == base.Host
}

// MusicBrainz returns the releases of the disc with an id, as [album.ParseRelease] reads them.
func (c *Client) MusicBrainz(ctx context.Context, id string) ([]byte, error) {
	u := at(c.MusicBrainzServer, musicBrainz) + "/ws/2/discid/" + url.PathEscape(id) +
		"?fmt=json&cdstubs=no&inc=recordings+artist-credits+labels+release-groups"
	return c.ask(ctx, query{url: u, most: album.MaxRelease, check: func(b []byte) error {
		_, err := album.ParseRelease(b, id, "")
		if errors.Is(err, album.ErrNoRelease) {
			err = ErrAbsent
		}
		return err
	}})
}

// at is an address on another server, if one is given.
func at(server, address string) string {
	u, err := url.Parse(address)
	if server == "" || err != nil {
		return address
	}
	if u.Path == "" {
		return server
	}
	return server + u.RequestURI()
}
